/* The thread table: time of each thread within the range. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "query/cost.h"
#include "query/filter.h"

static void count_threads(const struct profile_view *view, const struct query_filter *filter,
                          struct query_count *counts, struct query_total *total)
{
    for (size_t i = 0; i < view->bucket_count; i++) {
        const struct bucket *bucket = view->buckets[i];
        if (!query_filter_bucket(filter, bucket))
            continue;
        for (size_t j = 0; j < bucket->count; j++) {
            const struct bucket_entry *entry = &bucket->entries[j];
            if (!query_filter_entry(filter, entry))
                continue;
            struct query_count count = {entry->hits, query_filter_time_ns(filter, entry)};
            query_count_add(&counts[entry->thread], count);
            total->hits += count.hits;
            total->time_ns += count.time_ns;
        }
    }
}

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

    count_threads(view, &filter, counts, &answer->total);
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
