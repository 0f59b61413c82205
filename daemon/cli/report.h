/*
 * Text reports for people: plain rows in, aligned text out. Rows come from query results or from
 * the JSON of a running daemon alike. Strings may hold any bytes: what is printed is valid UTF-8
 * that cannot steer a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "cli/report_style.h"

/* A row of lines or functions. Strings are borrowed; percentages are 0 to 100. */
struct report_row {
    const char *path;     /* of the line, or of the function's declaration; "" unknown */
    uint32_t line;        /* 0 unknown */
    const char *function; /* "" unknown */
    const char *module;   /* where a function without a path is from; may be NULL */
    double self_percent, total_percent;
    double percent_low, percent_high; /* 95 % interval of the sorted share */
    uint64_t self_time_ns, total_time_ns;
};

struct report_table {
    const struct report_row *rows; /* borrowed; in the order to print */
    size_t count;
    size_t more;   /* rows that were left out */
    bool by_total; /* total is the sorted column */
};

/* Tables begin with an empty line, so that they stand apart. "self ± total time line function" */
void report_lines(FILE *file, const struct report_style *style, const struct report_table *table);
/* "self ± total time function defined" */
void report_functions(FILE *file, const struct report_style *style,
                      const struct report_table *table);

/* Samples of one reason to have no line. */
struct report_reason {
    const char *status; /* symbol_status_name() */
    uint64_t hits;
};

struct report_unknown {
    double self_percent; /* of all samples, together */
    uint64_t self_hits, all_hits;
    const struct report_reason *reasons; /* borrowed */
    size_t count;
    bool functions_follow; /* a table of functions comes next, for want of lines */
};

/* Most samples have no line, for reasons that last: functions tell more then. */
bool report_lacks_lines(const struct report_unknown *unknown);
/* Nor have their callers, as those of the kernel do: lines without samples of their own are few. */
bool report_lacks_callers(const struct report_unknown *unknown);

/* Why samples have no line, each with what would help. Prints nothing when all have one. */
void report_unknown(FILE *file, const struct report_style *style,
                    const struct report_unknown *unknown);

/* A session's numbers: as the API's session document. */
struct report_session {
    const char *command;
    pid_t pid;
    uint32_t threads; /* seen */
    uint64_t duration_ns, accounted_ns, unsampled_ns;
    uint64_t samples, lost, throttled, truncated_stacks, unwound_to_root;
    const char *backend, *event;
    uint32_t frequency_hz;
};

/* Three lines: what was watched, for how long and how, and how good the samples are. */
void report_session(FILE *file, const struct report_style *style,
                    const struct report_session *session);

/* One "warning: ..." each. */
void report_warnings(FILE *file, const struct report_style *style, const char *const *warnings,
                     size_t count);
