/* A line inlined, over two levels, into two callers that use it 1 : 3. */
#include "target.h"

#define UNIT 1000
#define INLINED static inline __attribute__((always_inline))

INLINED uint64_t innermost(uint64_t value, unsigned steps)
{
    WORK(value, steps); /* known: written */
    return value;
}

INLINED uint64_t between(uint64_t value, unsigned steps)
{
    value = innermost(value, steps); /* known: between */
    BARRIER(value);
    return value;
}

static OPAQUE uint64_t quarter(uint64_t value)
{
    value = between(value, 1 * UNIT); /* known: quarter */
    return value;
}

static OPAQUE uint64_t three_quarters(uint64_t value)
{
    value = between(value, 3 * UNIT); /* known: three quarters */
    return value;
}

int main(int argc, char **argv)
{
    uint64_t value = 1;
    target_start(argc, argv);
    for (;;) {
        value = quarter(value);
        BARRIER(value);
        value = three_quarters(value);
        BARRIER(value);
    }
}
