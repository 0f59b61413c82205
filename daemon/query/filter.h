/* Which samples a query counts: a time range, threads and a focus; and how long each one is. */
#pragma once

#include "lprofd/query.h"

struct query_filter {
    uint64_t from_ns, to_ns;
    bool *threads;        /* owned; per thread of the view: counted */
    double *scales;       /* owned; per thread of the view: aggregate/time_scale.h */
    unsigned char *nodes; /* owned; per node: its stack counts; NULL: every stack does */
};

/* 0, -ENOMEM, or -EINVAL for a focus that cannot be understood. */
int query_filter_init(struct query_filter *filter, const struct profile_view *view,
                      const struct query_options *options);
void query_filter_clear(struct query_filter *filter);

#define _cleanup_query_filter_ __attribute__((cleanup(query_filter_clear)))

/* Buckets are the resolution of time: one counts when its start lies in [from_ns, to_ns). */
static inline bool query_filter_bucket(const struct query_filter *filter,
                                       const struct bucket *bucket)
{
    return bucket->start_ns >= filter->from_ns && bucket->start_ns < filter->to_ns;
}

/* For the entries of a bucket that counts. */
static inline bool query_filter_entry(const struct query_filter *filter,
                                      const struct bucket_entry *entry)
{
    return filter->threads[entry->thread] && (!filter->nodes || filter->nodes[entry->node]);
}

/* Whole ns per entry, so that every sum of entries is exact however it is ordered. */
static inline uint64_t query_filter_time_ns(const struct query_filter *filter,
                                            const struct bucket_entry *entry)
{
    return (uint64_t)((double)entry->weight_ns * filter->scales[entry->thread] + 0.5);
}
