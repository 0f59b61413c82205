/* Costs by row and thread. */
#pragma once

#include "query/rows.h"

struct thread_cell {
    uint32_t row, thread; /* QUERY_OTHER_THREADS: the sum of all that have no cells of their own */
    struct query_count self, total;
};

struct thread_cells {
    struct thread_cell *items; /* owned */
    size_t count, capacity;
    size_t other_threads; /* how many QUERY_OTHER_THREADS stands for */
};

/*
 * Counts each sample of a thread once per row that has a frame on its stack (total), and at the row
 * of its first frame (self), for the 256 busiest threads and the sum of all others; for fewer when
 * that would be more than a million cells. Samples without any frame
 * go to row `row_of_none`; row 0 is left out. `frames` are those of a walk with the
 * same options. 0, -ENOMEM, or -EINVAL as queries. O(distinct stacks of each thread * depth).
 */
int thread_cells_count(const struct profile_view *view, const struct query_options *options,
                       const struct query_frames *frames, const uint32_t *row_of_frame,
                       uint32_t row_count, uint32_t row_of_none, struct thread_cells *ret_cells);
void thread_cells_clear(struct thread_cells *cells);

#define _cleanup_thread_cells_ __attribute__((cleanup(thread_cells_clear)))
