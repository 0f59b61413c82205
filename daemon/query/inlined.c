/* Where inlined code went: the physical functions of which it is part. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "query/rows.h"

struct use {
    uint32_t row, physical;
};

static int compare_uses(const void *a, const void *b)
{
    const struct use *left = a, *right = b;
    int order = query_id_compare(left->row, right->row);
    return order ? order : query_id_compare(left->physical, right->physical);
}

/* Each inlined frame of a row, with the function whose code it is in. */
static size_t collect_uses(const struct query_walk *walk, const struct query_frames *frames,
                           const uint32_t *row_of_frame, struct use *ret_uses)
{
    size_t count = 0;
    for (uint32_t i = 0; i < walk->location_count; i++) {
        uint32_t end = frames->first[i + 1];
        for (uint32_t j = frames->first[i]; j + 1 < end; j++)
            if (row_of_frame[j])
                ret_uses[count++] = (struct use){row_of_frame[j], frames->frames[end - 1].function};
    }
    return count;
}

int query_rows_inlined_into(const struct query_walk *walk, const struct query_frames *frames,
                            const uint32_t *row_of_frame, uint32_t row_count, uint32_t **ret_counts)
{
    _cleanup_free_ struct use *uses = malloc((frames->count + 1ul) * sizeof *uses);
    uint32_t *counts = calloc(row_count + 1ul, sizeof *counts);
    if (!uses || !counts) {
        free(counts);
        return -ENOMEM;
    }
    size_t count = collect_uses(walk, frames, row_of_frame, uses);
    qsort(uses, count, sizeof *uses, compare_uses);
    for (size_t i = 0; i < count; i++)
        counts[uses[i].row] += i == 0 || compare_uses(&uses[i - 1], &uses[i]) != 0;
    *ret_counts = counts;
    return 0;
}
