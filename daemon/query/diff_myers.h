/* The longest common subsequence of two sequences of numbers. */
#pragma once

#include <stdint.h>

/*
 * Sets matches[i] to 1 + the index in `b` that a[i] is the same as, for a common subsequence of
 * both; entries without a match stay as they are. It is a longest one unless the sequences differ
 * in more than some hundred items at a stretch; a good one then, so that time stays O(n + m).
 * 0 or -ENOMEM.
 */
int diff_myers(const uint32_t *a, uint32_t a_count, const uint32_t *b, uint32_t b_count,
               uint32_t *matches);
