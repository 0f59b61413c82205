/* The blocks of a listing: which lines of a file are printed together, under which function. */
#include "query/listing_blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "query/rows.h"

static int by_line(const void *a, const void *b)
{
    const struct query_line *left = a, *right = b;
    return query_id_compare(left->line, right->line);
}

static int by_function(const void *a, const void *b)
{
    const struct listing_block *left = a, *right = b;
    int order = query_id_compare(left->function, right->function);
    return order ? order : query_id_compare(left->first, right->first);
}

/* By start; of equal starts the longest first, and of those the most expensive. */
static int by_start(const void *a, const void *b)
{
    const struct listing_block *left = a, *right = b;
    int order = query_id_compare(left->first, right->first);
    if (!order)
        order = query_id_compare(right->last, left->last);
    if (!order)
        order = (left->total.hits < right->total.hits) - (left->total.hits > right->total.hits);
    return order ? order : query_id_compare(left->function, right->function);
}

static int by_cost(const void *a, const void *b, void *sort)
{
    const struct listing_block *left = a, *right = b;
    const struct query_cost costs[] = {
        {.self_hits = left->self.hits,
         .self_time_ns = left->self.time_ns,
         .total_hits = left->total.hits,
         .total_time_ns = left->total.time_ns},
        {.self_hits = right->self.hits,
         .self_time_ns = right->self.time_ns,
         .total_hits = right->total.hits,
         .total_time_ns = right->total.time_ns},
    };
    int order = query_cost_compare(&costs[0], &costs[1], *(const enum query_sort *)sort);
    return order ? order : query_id_compare(left->first, right->first);
}

/* The rows of the file, ascending. */
static int take_rows(struct listing_blocks *blocks, const struct query_walk *walk,
                     const struct query_frames *frames, uint32_t file)
{
    _cleanup_query_lines_ struct query_lines *lines = NULL;
    int error = query_lines_of_walk(walk, frames, QUERY_SORT_TOTAL, &lines);
    if (error)
        return error;
    size_t count = 0;
    for (size_t i = 0; i < lines->count; i++)
        if (lines->rows[i].file == file)
            lines->rows[count++] = lines->rows[i];
    qsort(lines->rows, count, sizeof *lines->rows, by_line);
    blocks->rows = take_pointer(lines->rows);
    blocks->row_count = count;
    return 0;
}

/* One block per function: from its first to its last line with cost. */
static int make_blocks(struct listing_blocks *blocks)
{
    blocks->blocks = malloc((blocks->row_count + 1) * sizeof *blocks->blocks);
    if (!blocks->blocks)
        return -ENOMEM;
    for (size_t i = 0; i < blocks->row_count; i++) {
        const struct query_line *row = &blocks->rows[i];
        blocks->blocks[i] = (struct listing_block){
            .function = row->function,
            .first = row->line,
            .last = row->line,
            .total = {row->cost.total_hits, 0},
        };
    }
    qsort(blocks->blocks, blocks->row_count, sizeof *blocks->blocks, by_function);
    for (size_t i = 0; i < blocks->row_count; i++) {
        struct listing_block *at = &blocks->blocks[i], *last = at;
        if (blocks->block_count)
            last = &blocks->blocks[blocks->block_count - 1];
        if (blocks->block_count == 0 || last->function != at->function) {
            blocks->blocks[blocks->block_count++] = *at;
            continue;
        }
        last->last = at->last;
        if (at->total.hits > last->total.hits)
            last->total.hits = at->total.hits;
    }
    return 0;
}

/* Lets each block begin at its function's declaration, when that is above in the same file. */
static void start_at_declarations(struct listing_blocks *blocks, const struct symbols *symbols,
                                  uint32_t file)
{
    symbols_lock_shared(symbols);
    for (size_t i = 0; i < blocks->block_count; i++) {
        struct listing_block *block = &blocks->blocks[i];
        struct symbol_function function = symbols_function(symbols, block->function);
        if (function.file == file && function.line && function.line < block->first)
            block->first = function.line;
    }
    symbols_unlock(symbols);
}

static void merge_overlapping(struct listing_blocks *blocks)
{
    size_t kept = 0;
    qsort(blocks->blocks, blocks->block_count, sizeof *blocks->blocks, by_start);
    for (size_t i = 0; i < blocks->block_count; i++) {
        struct listing_block *at = &blocks->blocks[i];
        if (kept && at->first <= blocks->blocks[kept - 1].last) {
            if (at->last > blocks->blocks[kept - 1].last)
                blocks->blocks[kept - 1].last = at->last;
            continue;
        }
        blocks->blocks[kept++] = *at;
    }
    blocks->block_count = kept;
    for (size_t i = 0; i < kept; i++)
        blocks->blocks[i].limit = i + 1 < kept ? blocks->blocks[i + 1].first : UINT32_MAX;
}

/* The block with the line, or block_count. Blocks are in order of lines. */
static size_t find_block(const struct listing_blocks *blocks, uint32_t line)
{
    size_t low = 0, high = blocks->block_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (blocks->blocks[middle].last < line)
            low = middle + 1;
        else
            high = middle;
    }
    return low < blocks->block_count && blocks->blocks[low].first <= line ? low
                                                                          : blocks->block_count;
}

static int count_blocks(struct listing_blocks *blocks, const struct query_walk *walk,
                        const struct query_frames *frames, uint32_t file)
{
    _cleanup_free_ uint32_t *block_of_frame = calloc(frames->count + 1ul, sizeof *block_of_frame);
    if (!block_of_frame)
        return -ENOMEM;
    for (uint32_t i = 0; i < frames->count; i++) {
        const struct frame *frame = &frames->frames[i];
        size_t block = blocks->block_count;
        if (query_frame_has_line(frame) && frame->file == file)
            block = find_block(blocks, frame->line);
        block_of_frame[i] = block < blocks->block_count ? (uint32_t)block + 1 : 0;
    }
    _cleanup_free_ struct query_row *rows = NULL;
    int error = query_rows_count(walk, frames, block_of_frame, (uint32_t)blocks->block_count + 1,
                                 NULL, &rows);
    for (size_t i = 0; i < blocks->block_count && !error; i++) {
        blocks->blocks[i].self = rows[i + 1].self;
        blocks->blocks[i].total = rows[i + 1].total;
    }
    return error;
}

static int init(struct listing_blocks *blocks, const struct profile_view *view,
                const struct query_options *options, uint32_t file)
{
    _cleanup_query_walk_ struct query_walk *walk = NULL;
    _cleanup_query_frames_ struct query_frames *frames = NULL;
    int error = query_walk_new(view, options, &walk);
    if (!error)
        error = query_frames_new(view, walk, options->inlines, &frames);
    if (!error)
        error = take_rows(blocks, walk, frames, file);
    if (!error)
        error = make_blocks(blocks);
    if (error)
        return error;
    blocks->all = walk->all;
    start_at_declarations(blocks, view->symbols, file);
    merge_overlapping(blocks);
    error = count_blocks(blocks, walk, frames, file);
    enum query_sort sort = options->sort;
    qsort_r(blocks->blocks, blocks->block_count, sizeof *blocks->blocks, by_cost, &sort);
    return error;
}

int listing_blocks_init(struct listing_blocks *blocks, const struct profile_view *view,
                        const struct query_options *options, uint32_t file)
{
    *blocks = (struct listing_blocks){0};
    int error = init(blocks, view, options, file);
    if (error)
        listing_blocks_clear(blocks);
    return error;
}

void listing_blocks_clear(struct listing_blocks *blocks)
{
    free(blocks->rows);
    free(blocks->blocks);
    *blocks = (struct listing_blocks){0};
}
