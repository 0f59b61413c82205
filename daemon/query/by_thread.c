/* The line and function tables with a row for each thread. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "query/functions.h"
#include "query/lines.h"
#include "query/thread_cells.h"

/* --- lines ------------------------------------------------------------------------------------ */

/* Replaces the rows by those of the cells. */
static int split_lines(struct query_lines *lines, const struct thread_cells *cells,
                       enum query_sort sort)
{
    struct query_line *rows = malloc((cells->count + 1) * sizeof *rows);
    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < cells->count; i++) {
        const struct thread_cell *cell = &cells->items[i];
        rows[i] = lines->rows[cell->row - 1];
        rows[i].thread = cell->thread;
        rows[i].cost = query_cost_make(cell->self, cell->total, lines->total, sort);
    }
    free(lines->rows);
    lines->rows = rows;
    lines->count = cells->count;
    lines->other_threads = cells->other_threads;
    return query_lines_rank(lines, sort);
}

int query_lines_by_thread(const struct profile_view *view, const struct query_options *options,
                          struct query_lines **ret_lines)
{
    _cleanup_query_walk_ struct query_walk *walk = NULL;
    _cleanup_query_frames_ struct query_frames *frames = NULL;
    _cleanup_query_lines_ struct query_lines *lines = NULL;
    _cleanup_free_ uint32_t *row_of_frame = NULL;
    _cleanup_thread_cells_ struct thread_cells cells = {0};
    int error = query_walk_new(view, options, &walk);
    if (!error)
        error = query_frames_new(view, walk, options->inlines, &frames);
    if (!error)
        error = query_lines_unsorted(walk, frames, options->sort, &lines, &row_of_frame);
    if (!error)
        error = thread_cells_count(view, options, frames, row_of_frame, (uint32_t)lines->count + 1,
                                   0, &cells);
    if (!error)
        error = split_lines(lines, &cells, options->sort);
    if (!error)
        *ret_lines = take_pointer(lines);
    return error;
}

/* --- functions -------------------------------------------------------------------------------- */

/* Samples without any frame are those of function 0. */
#define ROW_OF_UNKNOWN 1

/* Per frame: its function, counted from 1, so that unknown functions have rows too. */
static uint32_t *map_functions(const struct query_frames *frames)
{
    uint32_t *rows = malloc((frames->count + 1ul) * sizeof *rows);
    for (uint32_t i = 0; rows && i < frames->count; i++)
        rows[i] = frames->frames[i].function + 1;
    return rows;
}

static int split_functions(struct query_functions *functions, uint32_t function_count,
                           const struct thread_cells *cells, enum query_sort sort)
{
    _cleanup_free_ uint32_t *inlined_into = calloc(function_count + 1ul, sizeof *inlined_into);
    struct query_function *rows = malloc((cells->count + 1) * sizeof *rows);
    if (!inlined_into || !rows) {
        free(rows);
        return -ENOMEM;
    }
    for (size_t i = 0; i < functions->count; i++)
        inlined_into[functions->rows[i].function] = functions->rows[i].inlined_into;
    for (size_t i = 0; i < cells->count; i++) {
        const struct thread_cell *cell = &cells->items[i];
        rows[i] = (struct query_function){
            .function = cell->row - 1,
            .cost = query_cost_make(cell->self, cell->total, functions->total, sort),
            .inlined_into = inlined_into[cell->row - 1],
            .thread = cell->thread,
        };
    }
    free(functions->rows);
    functions->rows = rows;
    functions->count = cells->count;
    functions->other_threads = cells->other_threads;
    return query_functions_rank(functions, sort);
}

int query_functions_by_thread(const struct profile_view *view, const struct query_options *options,
                              struct query_functions **ret_functions)
{
    _cleanup_query_walk_ struct query_walk *walk = NULL;
    _cleanup_query_frames_ struct query_frames *frames = NULL;
    _cleanup_query_functions_ struct query_functions *functions = NULL;
    _cleanup_free_ uint32_t *row_of_frame = NULL;
    _cleanup_thread_cells_ struct thread_cells cells = {0};
    int error = query_walk_new(view, options, &walk);
    if (!error)
        error = query_frames_new(view, walk, options->inlines, &frames);
    if (!error)
        error = query_functions_of_walk(walk, frames, options->sort, &functions);
    if (error)
        return error;
    row_of_frame = map_functions(frames);
    if (!row_of_frame)
        return -ENOMEM;
    error = thread_cells_count(view, options, frames, row_of_frame, frames->function_count + 1,
                               ROW_OF_UNKNOWN, &cells);
    if (!error)
        error = split_functions(functions, frames->function_count, &cells, options->sort);
    if (!error)
        *ret_functions = take_pointer(functions);
    return error;
}
