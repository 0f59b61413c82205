/* Counting a walk into rows: lines, functions or files, whatever the frames are mapped to. */
#pragma once

#include "query/frames.h"

struct query_row {
    struct query_count self, total;
    uint32_t until; /* position after the outermost subtree that counted the row last */
};

/*
 * Counts each sample once per row that has a frame on its stack (total), and at the row of its
 * first frame (self); samples without any frame go to row 0. `row_of_frame` gives a row below
 * `row_count` per frame. `frame_hits`, unless NULL, gets the hits of total by the frame that
 * counted them. O(nodes).
 */
int query_rows_count(const struct query_walk *walk, const struct query_frames *frames,
                     const uint32_t *row_of_frame, uint32_t row_count, uint64_t *frame_hits,
                     struct query_row **ret_rows);

/*
 * Per row, into how many different physical functions its frames were inlined; of row 0 it does not
 * say. The caller frees *ret_counts. 0 or -ENOMEM. O(frames log frames).
 */
int query_rows_inlined_into(const struct query_walk *walk, const struct query_frames *frames,
                            const uint32_t *row_of_frame, uint32_t row_count,
                            uint32_t **ret_counts);
