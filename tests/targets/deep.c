/* A stack of so many levels of 256 bytes (400 unless told): deeper than what a sample copies. */
#include <string.h>

#include "target.h"

#define LEVELS 400
#define UNIT 20000

static OPAQUE uint64_t bottom(uint64_t value)
{
    WORK(value, UNIT); /* known: bottom */
    return value;
}

static OPAQUE uint64_t descend(uint64_t value, unsigned levels)
{
    volatile unsigned char room[200];
    room[levels % sizeof room] = (unsigned char)value;
    value = levels > 0 ? descend(value, levels - 1) : bottom(value); /* known: descend */
    BARRIER(value);
    return value + room[levels % sizeof room];
}

int main(int argc, char **argv)
{
    uint64_t value = 1;
    unsigned levels = argc > 2 ? (unsigned)atoi(argv[2]) : LEVELS;
    target_start(argc, argv);
    for (;;)
        value = descend(value, levels);
}
