/* A shared library with some work in it: the bench loads many copies. */
#include <stdint.h>

uint64_t spin(unsigned units);

uint64_t spin(unsigned units)
{
    uint64_t value = units;
    for (unsigned i = 0; i < units; i++)
        value = value * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return value;
}
