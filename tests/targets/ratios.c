/* Three lines of the same work, 1 : 2 : 5. Each is a leaf of its own, called from its own line. */
#include "target.h"

static OPAQUE uint64_t one(uint64_t value, unsigned unit)
{
    WORK(value, 1 * unit); /* known: one */
    return value;
}

static OPAQUE uint64_t two(uint64_t value, unsigned unit)
{
    WORK(value, 2 * unit); /* known: two */
    return value;
}

static OPAQUE uint64_t five(uint64_t value, unsigned unit)
{
    WORK(value, 5 * unit); /* known: five */
    return value;
}

/* Rounds differ in length, so that no sampling rate can keep step with them. */
static OPAQUE uint64_t mix(uint64_t value)
{
    unsigned unit = 1000 + (unsigned)(value >> 32) % 1024;
    value = one(value, unit); /* known: call one */
    BARRIER(value);
    value = two(value, unit); /* known: call two */
    BARRIER(value);
    value = five(value, unit); /* known: call five */
    BARRIER(value);
    return value;
}

int main(int argc, char **argv)
{
    uint64_t value = 1;
    target_start(argc, argv);
    for (;;)
        value = mix(value);
}
