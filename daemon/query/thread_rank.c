/* The threads that a query counts, by how busy they are. */
#include "query/thread_rank.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

struct ranked {
    uint32_t thread;
    struct query_count count;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    const uint64_t times_ns[] = {left->count.time_ns, right->count.time_ns};
    int order = (times_ns[0] < times_ns[1]) - (times_ns[0] > times_ns[1]);
    if (!order)
        order = (left->count.hits < right->count.hits) - (left->count.hits > right->count.hits);
    return order ? order : query_id_compare(left->thread, right->thread);
}

static void count_threads(const struct profile_view *view, const struct query_filter *filter,
                          struct ranked *ranked)
{
    for (size_t i = 0; i < view->thread_count; i++)
        ranked[i].thread = (uint32_t)i;
    for (size_t i = 0; i < view->bucket_count; i++) {
        const struct bucket *bucket = view->buckets[i];
        if (!query_filter_bucket(filter, bucket))
            continue;
        for (size_t j = 0; j < bucket->count; j++) {
            const struct bucket_entry *entry = &bucket->entries[j];
            struct query_count count = {entry->hits, query_filter_time_ns(filter, entry)};
            if (query_filter_entry(filter, entry))
                query_count_add(&ranked[entry->thread].count, count);
        }
    }
}

int query_rank_threads(const struct profile_view *view, const struct query_filter *filter,
                       uint32_t **ret_threads, size_t *ret_count)
{
    _cleanup_free_ struct ranked *ranked = calloc(view->thread_count + 1, sizeof *ranked);
    uint32_t *threads = calloc(view->thread_count + 1, sizeof *threads);
    if (!ranked || !threads) {
        free(threads);
        return -ENOMEM;
    }
    count_threads(view, filter, ranked);
    qsort(ranked, view->thread_count, sizeof *ranked, compare_ranked);
    size_t count = 0;
    for (; count < view->thread_count && ranked[count].count.hits > 0; count++)
        threads[count] = ranked[count].thread;
    *ret_threads = threads;
    *ret_count = count;
    return 0;
}
