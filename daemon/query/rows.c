/* Counting a walk into rows: lines, functions or files, whatever the frames are mapped to. */
#include "query/rows.h"

#include <errno.h>
#include <stdlib.h>

static inline bool has_cost(struct query_count count)
{
    return count.hits || count.time_ns;
}

/*
 * In preorder a row is on the stack already exactly when the position is before the end of the
 * subtree that counted it last: recursion counts once, and nothing needs undoing on the way back.
 */
static inline bool count_total(struct query_row *row, uint32_t position, uint32_t end,
                               struct query_count total)
{
    if (position < row->until)
        return false;
    row->until = end;
    query_count_add(&row->total, total);
    return true;
}

int query_rows_count(const struct query_walk *walk, const struct query_frames *frames,
                     const uint32_t *row_of_frame, uint32_t row_count, uint64_t *frame_hits,
                     struct query_row **ret_rows)
{
    struct query_row *rows = calloc(row_count + 1ul, sizeof *rows);
    if (!rows)
        return -ENOMEM;

    query_count_add(&rows[0].self, walk->self[0]);
    query_count_add(&rows[0].total, walk->self[0]);
    for (uint32_t i = 1; i < walk->count; i++) {
        uint32_t location = walk->location[i];
        uint32_t first = frames->first[location], last = frames->first[location + 1];
        for (uint32_t j = first; j < last; j++) {
            bool counted = count_total(&rows[row_of_frame[j]], i, walk->end[i], walk->total[i]);
            if (counted && frame_hits)
                frame_hits[j] += walk->total[i].hits;
        }
        if (has_cost(walk->self[i]))
            query_count_add(&rows[row_of_frame[first]].self, walk->self[i]);
    }
    *ret_rows = rows;
    return 0;
}
