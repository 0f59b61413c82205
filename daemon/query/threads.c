/* The thread table: time of each thread within the range. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "query/thread_rank.h"

static int compare_threads(const void *a, const void *b)
{
    const struct query_thread *left = a, *right = b;
    int order = query_cost_compare(&left->cost, &right->cost, QUERY_SORT_SELF);
    return order ? order : query_id_compare(left->thread, right->thread);
}

int query_threads(const struct profile_view *view, const struct query_options *options,
                  struct query_threads **ret_threads)
{
    _cleanup_query_filter_ struct query_filter filter;
    int error = query_filter_init(&filter, view, options);
    if (error)
        return error;

    _cleanup_free_ struct query_count *counts = calloc(view->thread_count + 1, sizeof *counts);
    _cleanup_free_ struct query_threads *answer = calloc(1, sizeof *answer);
    if (!counts || !answer)
        return -ENOMEM;
    answer->rows = malloc((view->thread_count + 1) * sizeof *answer->rows);
    if (!answer->rows)
        return -ENOMEM;

    answer->total = query_count_threads(view, &filter, counts);
    for (size_t i = 0; i < view->thread_count; i++)
        if (filter.threads[i])
            answer->rows[answer->count++] = (struct query_thread){
                .thread = (uint32_t)i,
                .cost = query_cost_make(counts[i], counts[i], answer->total, options->sort),
            };
    qsort(answer->rows, answer->count, sizeof *answer->rows, compare_threads);
    *ret_threads = take_pointer(answer);
    return 0;
}

void query_threads_free(struct query_threads *threads)
{
    if (!threads)
        return;
    free(threads->rows);
    free(threads);
}
