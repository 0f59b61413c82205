/* storm CREATORS MICROSECONDS [SECONDS]: threads that each create a brief thread every so often. */
#include <pthread.h>

#include "target.h"

#define UNIT 20000 /* some 25 us: less than it takes to create the thread */

static unsigned pause_us;

static OPAQUE uint64_t work(uint64_t value)
{
    WORK(value, UNIT); /* known: work */
    return value;
}

static void *brief(void *argument)
{
    return (void *)(uintptr_t)work((uintptr_t)argument);
}

static void *create(void *argument)
{
    for (;;) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, brief, argument) == 0)
            pthread_join(thread, NULL);
        usleep(pause_us);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    pause_us = (unsigned)atoi(argv[2]);
    for (int i = atoi(argv[1]); i > 0; i--) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, create, argv))
            return 1;
    }
    target_start(argc - 2, argv + 2);
    pause();
}
