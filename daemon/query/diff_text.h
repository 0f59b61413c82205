/* Which lines of two texts are the same: what `diff` finds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lprofd/diff.h"

/* Texts with more lines are not compared. */
#define DIFF_TEXT_LINES_MAX 500000

struct diff_text {
    bool is_equal;               /* all lines are the same: `other` is not there */
    uint32_t count[DIFF_SIDES];  /* lines */
    uint32_t *other[DIFF_SIDES]; /* owned; by line - 1: the other side's line, 0: it has none */
};

/*
 * Aligns the lines of two texts: equal lines in the same order on both sides, as many as E. W.
 * Myers' algorithm finds ("An O(ND) difference algorithm and its variations", Algorithmica 1,
 * 1986), which is given up for a good guess where texts differ too much, as GNU diff does. Lines
 * end at '\n', with or without a '\r' before it. Texts may be NULL when empty. 0, -ENOMEM, or
 * -E2BIG for too many lines. O(n log n) in the bytes.
 */
int diff_text_new(const char *a, size_t a_bytes, const char *b, size_t b_bytes,
                  struct diff_text **ret_text);
void diff_text_free(struct diff_text *text);

/*
 * The other side's line of a line (from 1), or 0 when it has none. Lines behind the last one, which
 * only wrong debug information names, are each other's.
 */
uint32_t diff_text_line(const struct diff_text *text, enum diff_side side, uint32_t line);

/* The runs of aligned lines, ascending: malloc'ed. 0 or -ENOMEM. */
int diff_text_runs(const struct diff_text *text, struct diff_run **ret_runs, size_t *ret_count);
