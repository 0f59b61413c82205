/* Limits of what a file may make us take, and say. */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

struct budget {
    uint64_t left_bytes;
};

/* Counts `count` items of `item_bytes` (not 0). 0, or -EFBIG when they are too many. */
static inline int budget_take(struct budget *budget, uint64_t count, size_t item_bytes)
{
    if (count > budget->left_bytes / item_bytes)
        return -EFBIG;
    budget->left_bytes -= count * item_bytes;
    return 0;
}

/* Sums stay far from overflowing; as times they are a hundred years. */
#define SUM_LIMIT (UINT64_C(1) << 61)
