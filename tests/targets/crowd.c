/* crowd THREADS [SECONDS]: so many threads that sleep nearly all the time. */
#include <pthread.h>
#include <time.h>

#include "target.h"

#define UNIT 500000

static OPAQUE uint64_t work(uint64_t value)
{
    WORK(value, UNIT); /* known: work */
    return value;
}

static void *worker(void *argument)
{
    uint64_t value = (uintptr_t)argument;
    struct timespec pause = {.tv_nsec = 199000000};
    for (;;) {
        value = work(value);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    for (int i = atoi(argv[1]) - 1; i > 0; i--) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, worker, argv))
            return 1;
    }
    target_start(argc - 1, argv + 1);
    worker(argv);
}
