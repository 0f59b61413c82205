/* Sleeps nearly all the time: about a millisecond of work in every 50. */
#include <time.h>

#include "target.h"

#define UNIT 500000

static OPAQUE uint64_t work(uint64_t value)
{
    WORK(value, UNIT); /* known: work */
    return value;
}

int main(int argc, char **argv)
{
    uint64_t value = 1;
    struct timespec pause = {.tv_nsec = 49000000};
    target_start(argc, argv);
    for (;;) {
        value = work(value);
        nanosleep(&pause, NULL);
    }
}
