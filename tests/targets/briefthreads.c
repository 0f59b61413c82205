/* Threads that live for a few milliseconds each: the main thread itself does next to nothing. */
#include <pthread.h>

#include "target.h"

#define UNIT 1500000

static void *brief(void *argument)
{
    uint64_t value = (uintptr_t)argument;
    WORK(value, UNIT); /* known: work */
    return (void *)(uintptr_t)value;
}

int main(int argc, char **argv)
{
    void *result = NULL;
    target_start(argc, argv);
    for (;;) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, brief, result) != 0)
            return 1;
        pthread_join(thread, &result);
    }
}
