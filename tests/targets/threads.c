/* Four named threads that share out the work 1 : 2 : 3 : 4, in step with each other. */
#include <pthread.h>

#include "target.h"

#define UNIT 1000000 /* some ms a round: what the barrier costs is little beside it */
#define THREADS 4

static pthread_barrier_t round_end;

static OPAQUE uint64_t work(uint64_t value, unsigned units)
{
    WORK(value, units * UNIT); /* known: work */
    return value;
}

static void *worker(void *argument)
{
    unsigned units = (unsigned)(uintptr_t)argument;
    uint64_t value = units;
    char name[16];
    snprintf(name, sizeof name, "worker-%u", units);
    pthread_setname_np(pthread_self(), name);
    for (;;) {
        value = work(value, units);
        BARRIER(value);
        pthread_barrier_wait(&round_end);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&round_end, NULL, THREADS);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, worker, (void *)(uintptr_t)(i + 1));
    target_start(argc, argv);
    pthread_join(threads[0], NULL);
}
