/*
 * Comparing two profiles, a and b: two ranges of one session, or two sessions. Rows of both sides
 * that are the same line or function become one row with both numbers, the change of the share and
 * how sure it is. Hits add up on each side as they do in the tables that are compared: no row of a
 * side is dropped, and none is counted twice.
 *
 * What is the same on both sides:
 *   modules    by build-id, else path, else the name without folder and version ("libfoo.so")
 *   files      by path; else by the longest end of the path that is unique among the files of the
 *              same module on both sides
 *   functions  by module, name and file; else by module and name if that is unique on both sides.
 *              Several of one name are paired in the order of their lines. Functions without a name
 *              ("[libfoo.so+0x1230]") only within equal builds
 *   lines      by file, then as enum diff_alignment says
 */
#pragma once

#include "base/text.h"
#include "lprofd/query.h"

enum diff_side { DIFF_A, DIFF_B, DIFF_SIDES };

enum diff_kind { DIFF_LINES, DIFF_FUNCTIONS };

/* Rows with the largest value first, except DIFF_SORT_P: the most certain change first. */
enum diff_sort { DIFF_SORT_DELTA, DIFF_SORT_A, DIFF_SORT_B, DIFF_SORT_P };

/* How a line's counterpart was found. */
enum diff_alignment {
    DIFF_ALIGNED_SAME,     /* the same build, or equal texts: by number */
    DIFF_ALIGNED_TEXT,     /* by a diff of the two texts */
    DIFF_ALIGNED_FUNCTION, /* a text is not known: by the distance to the function's first line */
    DIFF_ALIGNED_NUMBER,   /* nor is the function on both sides: by number, which is a guess */
    DIFF_ALIGNED_NONE,     /* the other side has no such file */
};

/* On which sides a line or function exists, with or without samples. */
enum diff_presence { DIFF_IN_BOTH, DIFF_ONLY_IN_A, DIFF_ONLY_IN_B };

enum diff_test { DIFF_TEST_NONE, DIFF_TEST_Z, DIFF_TEST_FISHER };

#define DIFF_FALSE_DISCOVERY_RATE 0.05

/* query/diff_statistics.h says where these come from. Shares are 0 to 1. */
struct diff_evidence {
    double delta, low, high; /* b's share minus a's, and its 95 % interval */
    double p_value;          /* of the test for this row alone */
    double q_value;          /* the same in the light of all rows (Benjamini and Hochberg) */
    enum diff_test test;
    bool significant; /* q_value is at most DIFF_FALSE_DISCOVERY_RATE */
};

/* One side of a row; ids are those of this side's session. */
struct diff_place {
    uint32_t file, line; /* 0: not on this side, or not known; a function's declaration */
    uint32_t function;   /* 0 where the side has no cost in a table of lines */
    struct query_cost cost;
};

struct diff_row {
    struct diff_place sides[DIFF_SIDES];
    enum diff_presence presence;
    enum diff_alignment alignment; /* of lines */
    struct diff_evidence evidence;
};

/* `count` lines from a's line `a` on are, one by one, those from b's line `b` on. */
struct diff_run {
    uint32_t a, b, count;
};

struct diff {
    struct query_total total[DIFF_SIDES];
    struct query_unknown unknown[DIFF_SIDES]; /* of lines */
    size_t count, significant_count;
    struct diff_row *rows; /* owned */

    /* Of the one file that was asked for: */
    uint32_t files[DIFF_SIDES]; /* 0: not on that side */
    enum diff_alignment alignment;
    struct diff_run *runs; /* owned; ascending; NULL unless DIFF_ALIGNED_TEXT */
    size_t run_count;
};

/*
 * Where the texts of sources come from: fills *ret_text (which the caller frees) with the text that
 * the side's program was built from. An error when that is not known.
 */
struct diff_sources {
    int (*read)(void *user, enum diff_side side, uint32_t file, struct text *ret_text);
    void *user;
};

struct diff_options {
    const struct profile_view *views[DIFF_SIDES]; /* the same symbols: the same session */
    /* Their `sort` says which share is compared, and is the same on both sides. */
    struct query_options queries[DIFF_SIDES];
    enum diff_kind kind;
    enum diff_sort sort;
    uint32_t file; /* only lines of this file of b and its counterpart, by line; 0: all */
    const struct diff_sources *sources; /* NULL: no text is known */
};

/*
 * 0, -ENOMEM, -EINVAL for a focus that cannot be understood, or -ENOENT when b has no such file.
 * O(nodes + entries), and the time to compare the texts of files whose builds differ, which is
 * bounded.
 */
int query_diff(const struct diff_options *options, struct diff **ret_diff);
void query_diff_free(struct diff *diff);
