/* The threads that a query counts, by how busy they are. */
#include "query/thread_rank.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

static int compare_threads(const void *a, const void *b, void *user)
{
    const struct query_count *counts = user;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    const struct query_count *first = &counts[left], *second = &counts[right];
    int order = (first->time_ns < second->time_ns) - (first->time_ns > second->time_ns);
    if (!order)
        order = (first->hits < second->hits) - (first->hits > second->hits);
    return order ? order : query_id_compare(left, right);
}

struct query_total query_count_threads(const struct profile_view *view,
                                       const struct query_filter *filter,
                                       struct query_count *counts)
{
    struct query_total total = {0};
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
            total.hits += count.hits;
            total.time_ns += count.time_ns;
        }
    }
    return total;
}

int query_rank_threads(const struct profile_view *view, const struct query_filter *filter,
                       uint32_t **ret_threads, size_t *ret_count)
{
    _cleanup_free_ struct query_count *counts = calloc(view->thread_count + 1, sizeof *counts);
    _cleanup_free_ uint32_t *threads = calloc(view->thread_count + 1, sizeof *threads);
    if (!counts || !threads)
        return -ENOMEM;
    query_count_threads(view, filter, counts);
    size_t count = 0;
    for (size_t i = 0; i < view->thread_count; i++)
        if (counts[i].hits > 0)
            threads[count++] = (uint32_t)i;
    qsort_r(threads, count, sizeof *threads, compare_threads, counts);
    *ret_threads = take_pointer(threads);
    *ret_count = count;
    return 0;
}
