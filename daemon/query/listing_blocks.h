/* The blocks of a listing: which lines of a file are printed together, under which function. */
#pragma once

#include "query/lines.h"

/* Lines first..last belong to `function`; blocks do not overlap. */
struct listing_block {
    uint32_t function;
    uint32_t first, last;
    uint32_t limit; /* where the next block of the file begins; UINT32_MAX: nowhere */
    struct query_count self, total; /* each sample once per block */
};

struct listing_blocks {
    struct query_total all;
    struct query_line *rows; /* owned; the file's lines with cost, ascending */
    size_t row_count;
    struct listing_block *blocks; /* owned; hottest first */
    size_t block_count;
};

/*
 * Functions that lie in one another (lambdas, closures) share the outer one's block, and so do the
 * instances of a template. 0, -ENOMEM, or -EINVAL as queries.
 */
int listing_blocks_init(struct listing_blocks *blocks, const struct profile_view *view,
                        const struct query_options *options, uint32_t file);
void listing_blocks_clear(struct listing_blocks *blocks);

#define _cleanup_listing_blocks_ __attribute__((cleanup(listing_blocks_clear)))
