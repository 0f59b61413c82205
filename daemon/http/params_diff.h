/* Query parameters of comparisons: two sides, each of a session, a range, threads and a focus. */
#pragma once

#include "lprofd/diff.h"

#define PARAMS_TIDS_MAX 256

struct params_side {
    uint32_t session; /* 0: the newest */
    uint64_t from_ns, to_ns;
    pid_t tids[PARAMS_TIDS_MAX];
    size_t tid_count;
    char *focus; /* owned; NULL: none */
};

struct params_diff {
    struct params_side sides[DIFF_SIDES];
    enum diff_kind kind;
    enum diff_sort sort;
    enum query_sort share;
    uint32_t file; /* 0: all */
    uint64_t offset;
};

struct params;

/* Each parses *value into params->diff; false when it is out of range. */
typedef bool params_diff_fn(char **value, struct params *params);
params_diff_fn params_diff_a, params_diff_a_from, params_diff_a_to, params_diff_a_tid,
    params_diff_a_focus, params_diff_b, params_diff_b_from, params_diff_b_to, params_diff_b_tid,
    params_diff_b_focus, params_diff_kind, params_diff_sort, params_diff_share, params_diff_file,
    params_diff_offset;

void params_diff_clear(struct params_diff *diff);

#define PARAMS_STACKS_MAX 16

/* What a side's stacks must contain: what both must, and what only it must. Borrowed. */
struct params_diff_focus {
    const char *items[PARAMS_STACKS_MAX + 1];
};

/* The options of a side's query; borrows from `params` and *ret_focus, which it fills. */
struct query_options params_diff_options(const struct params *params, enum diff_side side,
                                         struct params_diff_focus *ret_focus);
