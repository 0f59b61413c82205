/* The line table's inside, for queries that need more than its rows. */
#pragma once

#include "query/frames.h"

/* A frame that has a line; any other counts as unknown. */
static inline bool query_frame_has_line(const struct frame *frame)
{
    return frame->file && frame->line;
}

/* Samples whose leaf has no line; `cost` is that of row 0 of a count by line or by file. */
struct query_unknown query_unknown_make(const struct query_walk *walk,
                                        const struct query_frames *frames, struct query_cost cost);

/*
 * The rows of query_lines() in no order, but with intervals of the column `sort`; and for each
 * frame its line's row, counted from 1, or 0 when it has none (malloc'ed). 0 or -ENOMEM.
 */
int query_lines_unsorted(const struct query_walk *walk, const struct query_frames *frames,
                         enum query_sort sort, struct query_lines **ret_lines,
                         uint32_t **ret_row_of_frame);

/* query_lines() of a walk that was done already, with options->sort. 0 or -ENOMEM. */
int query_lines_of_walk(const struct query_walk *walk, const struct query_frames *frames,
                        enum query_sort sort, struct query_lines **ret_lines);

/* Puts the rows in the table's order. 0 or -ENOMEM. */
int query_lines_rank(struct query_lines *lines, enum query_sort sort);

static inline void query_lines_cleanup(struct query_lines **lines)
{
    query_lines_free(*lines);
}

#define _cleanup_query_lines_ __attribute__((cleanup(query_lines_cleanup)))
