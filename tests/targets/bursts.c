/* Works for a fraction of a millisecond whenever it wakes up. */
#include "target.h"

#define UNIT 100000
#define PAUSE_US 2000

int main(int argc, char **argv)
{
    uint64_t value = 1;
    target_start(argc, argv);
    for (;;) {
        WORK(value, UNIT); /* known: burst */
        BARRIER(value);
        usleep(PAUSE_US);
    }
}
