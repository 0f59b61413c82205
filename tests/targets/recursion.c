/* Recursion: every level does the same work, so the share of each call's line is arithmetic. */
#include "target.h"

#define UNIT 400
#define LEVELS 10

static OPAQUE uint64_t work(uint64_t value)
{
    WORK(value, UNIT); /* known: work */
    return value;
}

/* 10 levels work; all but the first are below the recursive call: 90 %. */
static OPAQUE uint64_t direct(uint64_t value, unsigned levels)
{
    value = work(value);
    BARRIER(value);
    if (levels > 1)
        value += direct(value, levels - 1); /* known: direct */
    BARRIER(value);
    return value;
}

static OPAQUE uint64_t pong(uint64_t value, unsigned levels);

/* ping, pong, ping, ...: below ping's call are 9 of 10 levels, below pong's 8 of 10. */
static OPAQUE uint64_t ping(uint64_t value, unsigned levels)
{
    value = work(value);
    BARRIER(value);
    if (levels > 1)
        value += pong(value, levels - 1); /* known: ping */
    BARRIER(value);
    return value;
}

static OPAQUE uint64_t pong(uint64_t value, unsigned levels)
{
    value = work(value);
    BARRIER(value);
    if (levels > 1)
        value += ping(value, levels - 1); /* known: pong */
    BARRIER(value);
    return value;
}

int main(int argc, char **argv)
{
    uint64_t value = 1;
    target_start(argc, argv);
    for (;;) {
        value = direct(value, LEVELS); /* known: main direct */
        BARRIER(value);
        value = ping(value, LEVELS); /* known: main ping */
        BARRIER(value);
    }
}
