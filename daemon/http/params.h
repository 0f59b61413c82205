/* Query parameters: a const table of names and ranges; whatever is not in it is refused by name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/params_diff.h"
#include "http/reply.h"
#include "lprofd/query.h"

enum param {
    PARAM_FROM = 1 << 0,
    PARAM_TO = 1 << 1,
    PARAM_TID = 1 << 2,
    PARAM_METRIC = 1 << 3,
    PARAM_SORT = 1 << 4,
    PARAM_LIMIT = 1 << 5,
    PARAM_CURSOR = 1 << 6,
    PARAM_INLINES = 1 << 7,
    PARAM_KERNEL = 1 << 8,
    PARAM_FOCUS = 1 << 9,
    PARAM_STEP = 1 << 10,
    PARAM_MIN_PERCENT = 1 << 11,
    PARAM_FORGET = 1 << 12,
    PARAM_TOKEN = 1 << 13,
    PARAM_SELF = 1 << 14,
    PARAM_POINTS = 1 << 15,
    PARAM_HIDE = 1 << 16,
    PARAM_MAX_NODES = 1 << 17,
    PARAM_CENTER = 1 << 18,
    PARAM_DIRECTION = 1 << 19,
    PARAM_INVERTED = 1 << 20,
    PARAM_FILTER = 1 << 21,
    PARAM_FILE = 1 << 22,
    PARAM_FUNCTIONS = 1 << 23,
    PARAM_GROUP = 1 << 24,
    PARAM_SITES = 1 << 25,
    PARAM_DIFF = 1 << 30, /* all of params_diff.h */
};

#define PARAMS_RANGE (PARAM_FROM | PARAM_TO | PARAM_TID | PARAM_METRIC)
#define PARAMS_FRAMES (PARAM_INLINES | PARAM_KERNEL | PARAM_FOCUS | PARAM_HIDE)
#define PARAMS_PAGE (PARAM_LIMIT | PARAM_CURSOR)
#define PARAMS_TABLE (PARAMS_RANGE | PARAMS_FRAMES | PARAMS_PAGE | PARAM_SORT)

#define PARAMS_TID_MAX 4194304 /* PID_MAX_LIMIT of the kernel */
#define PARAMS_LIMIT_DEFAULT 100
#define PARAMS_LIMIT_MAX 10000
#define PARAMS_POINTS_MAX 10000
#define PARAMS_FOCUS_MAX_BYTES 4096
#define PARAMS_FILTER_MAX_BYTES 256
#define PARAMS_NODES_MAX 1000000

/* Texts of a parameter that may be repeated. */
struct param_texts {
    char *items[PARAMS_STACKS_MAX]; /* owned */
    size_t count;
};

struct params {
    uint64_t from_ns, to_ns;
    pid_t tids[PARAMS_TIDS_MAX];
    size_t tid_count;
    enum query_sort sort;
    enum query_inlines inlines;
    bool hide_kernel;
    struct param_texts focus, hide;
    size_t limit;
    bool has_limit;
    uint64_t offset;       /* of the page, and ... */
    uint64_t pinned_to_ns; /* ... the end of the range that its first page had; 0: first page */
    uint64_t step_ns;      /* 0: not given */
    size_t points;         /* 0: not given */
    double min_percent;
    uint32_t max_nodes; /* 0: not given */
    char *center;       /* owned; NULL: none */
    bool callers, has_direction, inverted, sites;
    bool forget, self;
    char *filter;  /* owned; NULL: none */
    uint32_t file; /* 0: all */
    bool functions, by_thread;
    char *token; /* owned */
    struct params_diff diff;
};

/*
 * Parses "a=b&c=d" (application/x-www-form-urlencoded). `allowed` are the enum param bits that the
 * route takes. False when `reply` was made a 400 problem that names the parameter.
 */
bool params_parse(const char *query, unsigned allowed, struct params *ret_params,
                  struct reply *reply);
void params_free(struct params *params);

/* The options of a query; borrows from `params`. */
struct query_options params_query_options(const struct params *params);

/* The parameters by name, with the bit of what takes them. NULL past the end. */
const char *params_name(size_t index, unsigned *ret_bit);

/* A decimal number from min to max; false when it is none. */
bool params_parse_u64(const char *value, uint64_t min, uint64_t max, uint64_t *ret_number);

#define CURSOR_BYTES 48
/* The cursor of the page that starts at row `offset` of the range that ends at `to_ns`. */
void cursor_format(uint64_t offset, uint64_t to_ns, char ret_cursor[static CURSOR_BYTES]);
