/* What plugin.c is to reload.c, for swap.c: of the same size, so that it is loaded at its place. */
#include "target.h"

#define UNIT 200000

uint64_t twin_work(uint64_t value);

OPAQUE uint64_t twin_work(uint64_t value)
{
    WORK(value, UNIT);
    return value;
}
