/* The functions of a file: where their lines are, and what they cost. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "query/lines.h"
#include "query/rows.h"

/* Lines with cost of a function, within the file. */
struct extent {
    uint32_t first, last; /* 0: none */
};

static void functions_cleanup(struct query_file_functions **functions)
{
    query_file_functions_free(*functions);
}

#define _cleanup_functions_ _cleanup_(functions_cleanup)

static uint32_t begin_of(const struct query_file_function *row)
{
    return row->line ? row->line : row->first_line;
}

static int compare_places(const void *a, const void *b)
{
    const struct query_file_function *left = a, *right = b;
    int order = query_id_compare(begin_of(left), begin_of(right));
    if (!order)
        order = query_id_compare(right->last_line, left->last_line);
    return order ? order : query_id_compare(left->function, right->function);
}

/* Maps frames with a line in the file to their function, and all others to row 0. */
static void map_frames(const struct query_frames *frames, uint32_t file, uint32_t *ret_functions,
                       struct extent *ret_extents)
{
    for (uint32_t i = 0; i < frames->count; i++) {
        const struct frame *frame = &frames->frames[i];
        if (frame->file != file || !query_frame_has_line(frame))
            continue;
        struct extent *extent = &ret_extents[frame->function];
        ret_functions[i] = frame->function;
        if (!extent->first || frame->line < extent->first)
            extent->first = frame->line;
        if (frame->line > extent->last)
            extent->last = frame->line;
    }
}

static int make_rows(const struct query_walk *walk, const struct query_frames *frames,
                     uint32_t file, enum query_sort sort, struct query_file_functions *answer)
{
    uint32_t count = frames->function_count;
    _cleanup_free_ uint32_t *functions = calloc(frames->count + 1ul, sizeof *functions);
    _cleanup_free_ struct extent *extents = calloc(count + 1ul, sizeof *extents);
    _cleanup_free_ uint32_t *inlined_into = NULL;
    _cleanup_free_ struct query_row *rows = NULL;
    answer->rows = malloc((count + 1ul) * sizeof *answer->rows);
    if (!functions || !extents || !answer->rows)
        return -ENOMEM;
    map_frames(frames, file, functions, extents);
    int error = query_rows_inlined_into(walk, frames, functions, count, &inlined_into);
    if (!error)
        error = query_rows_count(walk, frames, functions, count, NULL, &rows);
    for (uint32_t i = 1; i < count && !error; i++)
        if (extents[i].first)
            answer->rows[answer->count++] = (struct query_file_function){
                .function = i,
                .first_line = extents[i].first,
                .last_line = extents[i].last,
                .cost = query_cost_make(rows[i].self, rows[i].total, walk->all, sort),
                .inlined_into = inlined_into[i],
            };
    return error;
}

static void add_declarations(const struct symbols *symbols, uint32_t file,
                             struct query_file_functions *answer)
{
    symbols_lock_shared(symbols);
    for (size_t i = 0; i < answer->count; i++) {
        struct query_file_function *row = &answer->rows[i];
        struct symbol_function function = symbols_function(symbols, row->function);
        if (function.file == file && function.line <= row->first_line)
            row->line = function.line;
    }
    symbols_unlock(symbols);
}

int query_file_functions(const struct profile_view *view, const struct query_options *options,
                         uint32_t file, struct query_file_functions **ret_functions)
{
    _cleanup_query_walk_ struct query_walk *walk = NULL;
    _cleanup_query_frames_ struct query_frames *frames = NULL;
    _cleanup_functions_ struct query_file_functions *answer = calloc(1, sizeof *answer);
    if (!answer)
        return -ENOMEM;
    int error = query_walk_new(view, options, &walk);
    if (!error)
        error = query_frames_new(view, walk, options->inlines, &frames);
    if (!error)
        error = make_rows(walk, frames, file, options->sort, answer);
    if (error)
        return error;
    answer->total = walk->all;
    add_declarations(view->symbols, file, answer);
    qsort(answer->rows, answer->count, sizeof *answer->rows, compare_places);
    *ret_functions = take_pointer(answer);
    return 0;
}

void query_file_functions_free(struct query_file_functions *functions)
{
    if (!functions)
        return;
    free(functions->rows);
    free(functions);
}
