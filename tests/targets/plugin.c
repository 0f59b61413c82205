/* The library that reload.c loads and unloads. */
#include "target.h"

#define UNIT 200000

uint64_t plugin_work(uint64_t value);

OPAQUE uint64_t plugin_work(uint64_t value)
{
    WORK(value, UNIT); /* known: work */
    return value;
}
