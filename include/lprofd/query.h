/*
 * Queries: tables, graphs and listings of a profile view. All are O(nodes + entries) and pure:
 * equal views and options give equal answers.
 *
 * Hits are samples and add up exactly: the self hits of all rows and of `unknown` are the hits of
 * the filtered range. Times are the weights of the samples scaled, thread by thread, to the CPU
 * time that the kernel accounts: aggregate/time_scale.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lprofd/profile.h"

enum query_sort { QUERY_SORT_SELF, QUERY_SORT_TOTAL };

/* Where an inlined instruction's cost is shown. */
enum query_inlines {
    QUERY_INLINES_WRITTEN, /* at the line it was written on: the innermost inlined frame */
    QUERY_INLINES_CALLED,  /* at the physical function's line that the inlining happened on */
};

struct query_options {
    /* Since the session's start; to_ns 0: until now. A bucket counts when it starts in
     * [from_ns, to_ns): buckets are the resolution of time. */
    uint64_t from_ns, to_ns;
    const pid_t *tids; /* only these threads; borrowed */
    size_t tid_count;  /* 0: all */
    enum query_sort sort;
    enum query_inlines inlines;
    bool hide_kernel; /* count kernel frames at the user frame that entered the kernel */
    /*
     * Only stacks that contain all of `focus` and none of `hide`; borrowed. Each is a function, a
     * file:line, a path "a;b;c" of functions from the root, or "b;c;" to the leaf: query/focus.h.
     */
    const char *const *focus, *const *hide;
    size_t focus_count, hide_count;
};

/* Numbers of one row. Percentages are of the filtered range's total, 0 to 100. */
struct query_cost {
    uint64_t self_hits, total_hits;
    uint64_t self_time_ns, total_time_ns;
    double self_percent, total_percent;
    double percent_low, percent_high; /* 95 % Wilson interval of the sorted share */
};

#define QUERY_OTHER_THREADS UINT32_MAX

struct query_line {
    uint32_t file; /* symbols_file() id, never 0 */
    uint32_t line;
    uint32_t function; /* symbols_function() id of the line's most expensive function */
    struct query_cost cost;
    uint32_t inlined_into; /* physical functions in which it was sampled as inlined code */
    uint32_t thread;       /* by thread: index into view->threads, or QUERY_OTHER_THREADS */
};

struct query_function {
    uint32_t function; /* symbols_function() id; 0: no function is known, e.g. not yet */
    struct query_cost cost;
    uint32_t inlined_into; /* physical functions in which it was sampled as inlined code */
    uint32_t thread;       /* by thread: index into view->threads, or QUERY_OTHER_THREADS */
};

struct query_file {
    uint32_t file;
    struct query_cost cost; /* each sample once per file */
};

/* Samples whose leaf has no line, by reason. */
struct query_unknown {
    struct query_cost cost;
    uint64_t hits_by_status[SYMBOL_STATUS_COUNT];
};

/* The filtered range as a whole. */
struct query_total {
    uint64_t hits, time_ns;
};

struct query_lines {
    struct query_total total;
    struct query_unknown unknown;
    size_t count;
    size_t other_threads;    /* by thread: how many QUERY_OTHER_THREADS stands for */
    struct query_line *rows; /* owned; sorted by cost, then file, line and rank of the thread */
};

struct query_functions {
    struct query_total total;
    size_t count;
    size_t other_threads;        /* by thread: how many QUERY_OTHER_THREADS stands for */
    struct query_function *rows; /* owned; sorted by cost */
};

struct query_files {
    struct query_total total;
    struct query_unknown unknown;
    size_t count;
    struct query_file *rows; /* owned; sorted by cost */
};

/* All return 0, -ENOMEM, or -EINVAL for a focus that cannot be understood. */
int query_lines(const struct profile_view *view, const struct query_options *options,
                struct query_lines **ret_lines);
int query_functions(const struct profile_view *view, const struct query_options *options,
                    struct query_functions **ret_functions);
int query_files(const struct profile_view *view, const struct query_options *options,
                struct query_files **ret_files);

/*
 * The same with a row for each thread, of the 256 busiest threads and the sum of all others (fewer
 * when that would be more than a million rows).
 */
int query_lines_by_thread(const struct profile_view *view, const struct query_options *options,
                          struct query_lines **ret_lines);
int query_functions_by_thread(const struct profile_view *view, const struct query_options *options,
                              struct query_functions **ret_functions);

/*
 * Keep only the rows of which the function, its module or the file's path contains the text, in
 * upper or lower case (of ASCII). Sums stay those of all rows. 0 or -ENOMEM. O(rows + symbols).
 */
int query_lines_match(const struct profile_view *view, const char *text, struct query_lines *lines);
int query_functions_match(const struct profile_view *view, const char *text,
                          struct query_functions *functions);
void query_lines_free(struct query_lines *lines);
void query_functions_free(struct query_functions *functions);
void query_files_free(struct query_files *files);

/* A function that has lines in a file, and where. */
struct query_file_function {
    uint32_t function;
    uint32_t line; /* of the declaration; 0: unknown, elsewhere, or below its lines */
    uint32_t first_line, last_line; /* those with cost */
    struct query_cost cost;         /* of these lines: each sample once per function */
    uint32_t inlined_into;
};
struct query_file_functions {
    struct query_total total;
    size_t count;
    struct query_file_function *rows; /* owned; by where they begin, outer ones first */
};
int query_file_functions(const struct profile_view *view, const struct query_options *options,
                         uint32_t file, struct query_file_functions **ret_functions);
void query_file_functions_free(struct query_file_functions *functions);

/* Which flame graph. */
struct query_flamegraph_options {
    double min_percent; /* nodes with less of the graph's total are folded into an "other" child */
    uint32_t max_nodes; /* at least 2: the smallest are folded until there are no more; 0: any */
    bool inverted;      /* leaves first, their callers below them */
    /*
     * A function or file:line: only stacks with that frame, and of those only what is called from
     * there (or, with `callers`, what leads to it, inverted). A frame that is on a stack several
     * times counts where it is outermost: its recursion is part of what it calls. NULL: none.
     */
    const char *center;
    bool callers;
    /*
     * Frames merge by function, file and line instead of by function alone: a caller that calls
     * from two lines makes two nodes.
     */
    bool sites;
};

/*
 * The flame graph in columns, parents before children; node 0 is the root "all". In a graph that
 * goes to callers a node's self cost is that of stacks that begin there.
 */
struct query_flamegraph {
    uint32_t count;
    uint32_t *parent;      /* owned; parent[0] is 0 */
    uint32_t *function;    /* owned; symbols_function() id; QUERY_ROOT or QUERY_OTHER */
    uint32_t *folded;      /* owned; of an "other": its parent's children it stands for */
    uint32_t *file, *line; /* owned; declaration of the function, or its site; 0 unknown */
    uint64_t *self_hits, *total_hits; /* owned */
    uint64_t *self_time_ns, *total_time_ns;
    struct query_total total; /* of the graph: with a center, of the stacks that have it */
};

#define QUERY_ROOT UINT32_MAX
#define QUERY_OTHER (UINT32_MAX - 1)

/* -EINVAL also for a center that is a path. */
int query_flamegraph(const struct profile_view *view, const struct query_options *options,
                     const struct query_flamegraph_options *shape,
                     struct query_flamegraph **ret_graph);
void query_flamegraph_free(struct query_flamegraph *graph);

/* How fine a timeline is. */
struct query_timeline_options {
    uint64_t step_ns;  /* 0: 100 ms, or as `points` wants it */
    size_t points;     /* at most so many steps, of 1, 2 or 5 times a power of ten times 100 ms;
                          0: any number */
    size_t series_max; /* so many threads, busiest first, and one series of all others; 0: all */
};

/* CPU time and samples over time, by thread: column[series][step], row by row. */
struct query_timeline {
    uint64_t start_ns, step_ns;
    size_t step_count, series_count;
    size_t other_count;       /* threads that the last series is the sum of; 0: there is none */
    uint32_t *threads;        /* owned; indices into view->threads, but of that series */
    uint64_t *time_ns, *hits; /* owned; series_count * step_count */
};

/* The step is raised so that there are at most 10,000. */
int query_timeline(const struct profile_view *view, const struct query_options *options,
                   const struct query_timeline_options *shape,
                   struct query_timeline **ret_timeline);
void query_timeline_free(struct query_timeline *timeline);

/* Per thread of the view: self time within the range. */
struct query_thread {
    uint32_t thread; /* index into view->threads */
    struct query_cost cost;
};
struct query_threads {
    struct query_total total;
    size_t count;
    struct query_thread *rows; /* owned; busiest first */
};
int query_threads(const struct profile_view *view, const struct query_options *options,
                  struct query_threads **ret_threads);
void query_threads_free(struct query_threads *threads);
