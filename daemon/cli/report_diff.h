/* The text report of a comparison, for people. As report.h. */
#pragma once

#include "cli/report.h"

/* One of the two that are compared. */
struct report_diff_side {
    const char *command; /* borrowed */
    const char *file;    /* borrowed; the saved profile that it is; NULL: a session of an lprofd */
    uint32_t session;    /* then its id */
    uint64_t from_ns, to_ns, samples, time_ns;
    double unknown_percent; /* of the samples: their lines are not known */
};

/* A row; strings are borrowed, percentages are 0 to 100. */
struct report_diff_row {
    const char *path; /* b's, or a's where only a has it; "" unknown */
    const char *function;
    const char *module;      /* where a function without a path is from */
    uint32_t a_line, b_line; /* 0: not on that side */
    double a_percent, b_percent;
    double delta, low, high;
    bool significant;
    bool is_guess; /* its lines are the same by what is likely, not by what is known */
    char only;     /* 'a' or 'b': it is not on the other side; else 0 */
};

struct report_diff {
    struct report_diff_side sides[2];
    const struct report_diff_row *rows; /* borrowed; in the order to print */
    size_t count, all, significant;     /* rows here, on all pages, and how many of those changed */
    bool functions;                     /* not lines */
    bool by_total;                      /* shares are with callees */
};

/* "a b Δ ± line function", with what the marks mean below. */
void report_diff(FILE *file, const struct report_style *style, const struct report_diff *diff);
