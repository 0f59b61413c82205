/* Frames of every shape without frame pointers: pushes, alloca, over-aligned locals, callbacks. */
#include <alloca.h>
#include <string.h>

#include "target.h"

#define UNIT 300

static volatile unsigned sink;

static OPAQUE uint64_t leaf(uint64_t value)
{
    WORK(value, UNIT); /* known: leaf */
    return value;
}

static OPAQUE uint64_t many_registers(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t d = leaf(a), e = leaf(b), f = leaf(c), g = leaf(d), h = leaf(e);
    BARRIER(f);
    return a + b + c + d + e + f + g + h;
}

static OPAQUE uint64_t dynamic(uint64_t value)
{
    char *room = alloca(16 + value % 512);
    memset(room, (int)value, 16);
    sink = (unsigned)room[value % 16];
    value = many_registers(value, value + 1, value + 2);
    BARRIER(value);
    return value;
}

static OPAQUE uint64_t over_aligned(uint64_t value)
{
    _Alignas(64) volatile unsigned char room[128];
    room[value % 128] = 1;
    value = dynamic(value);
    BARRIER(value);
    return value + room[0];
}

static OPAQUE uint64_t large(uint64_t value)
{
    volatile unsigned char room[5000];
    room[value % 5000] = 1;
    value = over_aligned(value);
    BARRIER(value);
    return value + room[0];
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    uint64_t value = large(a ^ b);
    BARRIER(value);
    sink = (unsigned)value;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    uint64_t items[64] = {0}, value = 1;
    target_start(argc, argv);
    for (;;) {
        for (unsigned i = 0; i < 64; i++)
            items[i] = value = STEP(value);
        qsort(items, 64, sizeof items[0], compare);
    }
}
