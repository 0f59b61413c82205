/* Pairing the items of two lists by keys. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIFF_UNPAIRED UINT32_MAX

/* Keys are equal when text and numbers are. A NULL text equals nothing. The text is borrowed. */
struct diff_key {
    const char *text;
    uint32_t numbers[2];
    uint32_t order; /* of items with equal keys: the first one is paired with the first one */
};

/* Of one side: pair[i] is the other side's index of item i, or DIFF_UNPAIRED. */
struct diff_list {
    const struct diff_key *keys;
    uint32_t *pair;
    uint32_t count;
};

/*
 * Pairs items that are still unpaired and have equal keys, in order; if `unique`, only where
 * neither side has a second such item. 0 or -ENOMEM. O(n log n).
 */
int diff_pair(struct diff_list a, struct diff_list b, bool unique);
