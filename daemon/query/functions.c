/* The function table: self and total cost of each function. */
#include "query/functions.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "query/ranking.h"
#include "query/rows.h"

static uint64_t id_of_function(const void *row)
{
    return ((const struct query_function *)row)->function;
}

int query_functions_rank(struct query_functions *functions, enum query_sort sort)
{
    static const struct query_ranking ranking = {
        .row_bytes = sizeof(struct query_function),
        .cost_offset = offsetof(struct query_function, cost),
        .id = id_of_function,
    };
    return query_rank(functions->rows, functions->count, &ranking, sort);
}

static int count_functions(const struct query_walk *walk, const struct query_frames *frames,
                           struct query_row **ret_rows, uint32_t **ret_inlined_into)
{
    _cleanup_free_ uint32_t *functions = malloc((frames->count + 1ul) * sizeof *functions);
    if (!functions)
        return -ENOMEM;
    for (uint32_t i = 0; i < frames->count; i++)
        functions[i] = frames->frames[i].function;
    int error =
        query_rows_inlined_into(walk, frames, functions, frames->function_count, ret_inlined_into);
    if (error)
        return error;
    return query_rows_count(walk, frames, functions, frames->function_count, NULL, ret_rows);
}

static int finish(const struct query_walk *walk, const struct query_row *rows,
                  const uint32_t *inlined_into, uint32_t row_count, enum query_sort sort,
                  struct query_functions **ret_functions)
{
    _cleanup_query_functions_ struct query_functions *answer = calloc(1, sizeof *answer);
    if (!answer)
        return -ENOMEM;
    answer->rows = malloc((row_count + 1ul) * sizeof *answer->rows);
    if (!answer->rows)
        return -ENOMEM;
    for (uint32_t i = 0; i < row_count; i++)
        if (rows[i].total.hits || rows[i].total.time_ns)
            answer->rows[answer->count++] = (struct query_function){
                .function = i,
                .cost = query_cost_make(rows[i].self, rows[i].total, walk->all, sort),
                .inlined_into = inlined_into[i],
            };
    answer->total = walk->all;
    int error = query_functions_rank(answer, sort);
    if (!error)
        *ret_functions = take_pointer(answer);
    return error;
}

int query_functions_of_walk(const struct query_walk *walk, const struct query_frames *frames,
                            enum query_sort sort, struct query_functions **ret_functions)
{
    _cleanup_free_ struct query_row *rows = NULL;
    _cleanup_free_ uint32_t *inlined_into = NULL;
    int error = count_functions(walk, frames, &rows, &inlined_into);
    if (error)
        return error;
    return finish(walk, rows, inlined_into, frames->function_count, sort, ret_functions);
}

int query_functions(const struct profile_view *view, const struct query_options *options,
                    struct query_functions **ret_functions)
{
    _cleanup_query_walk_ struct query_walk *walk = NULL;
    _cleanup_query_frames_ struct query_frames *frames = NULL;
    int error = query_walk_new(view, options, &walk);
    if (!error)
        error = query_frames_new(view, walk, options->inlines, &frames);
    return error ? error : query_functions_of_walk(walk, frames, options->sort, ret_functions);
}

void query_functions_free(struct query_functions *functions)
{
    if (!functions)
        return;
    free(functions->rows);
    free(functions);
}
