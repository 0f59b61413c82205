/* churn MICROSECONDS [SECONDS]: threads that work briefly, one each so many microseconds. */
#include <pthread.h>

#include "target.h"

#define UNIT 2000000

static OPAQUE uint64_t work(uint64_t value)
{
    WORK(value, UNIT); /* known: work */
    return value;
}

static void *brief(void *argument)
{
    return (void *)(uintptr_t)work((uintptr_t)argument);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    unsigned pause_us = (unsigned)atoi(argv[1]);
    target_start(argc - 1, argv + 1);
    for (;;) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, brief, argv))
            return 1;
        pthread_join(thread, NULL);
        usleep(pause_us);
    }
}
