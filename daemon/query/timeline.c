/* The timeline: CPU time per thread over time. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "query/cost.h"
#include "query/filter.h"

#define TIMELINE_STEPS_MAX 10000
/* 32 MiB of answer however many threads there are; steps grow before that is exceeded. */
#define TIMELINE_CELLS_MAX (UINT64_C(4) << 20)
#define TIMELINE_STEP_DEFAULT_NS (100 * NS_PER_MS)

struct ranked {
    uint32_t thread;
    uint64_t time_ns;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    int order = (left->time_ns < right->time_ns) - (left->time_ns > right->time_ns);
    return order ? order : query_id_compare(left->thread, right->thread);
}

/* The threads with time in the range, busiest first. */
static int rank_threads(const struct profile_view *view, const struct query_filter *filter,
                        struct query_timeline *timeline)
{
    _cleanup_free_ struct ranked *ranked = calloc(view->thread_count + 1, sizeof *ranked);
    timeline->threads = calloc(view->thread_count + 1, sizeof *timeline->threads);
    if (!ranked || !timeline->threads)
        return -ENOMEM;
    for (size_t i = 0; i < view->thread_count; i++)
        ranked[i].thread = (uint32_t)i;
    for (size_t i = 0; i < view->bucket_count; i++) {
        const struct bucket *bucket = view->buckets[i];
        if (!query_filter_bucket(filter, bucket))
            continue;
        for (size_t j = 0; j < bucket->count; j++)
            if (query_filter_entry(filter, &bucket->entries[j]))
                ranked[bucket->entries[j].thread].time_ns +=
                    query_filter_time_ns(filter, &bucket->entries[j]);
    }
    qsort(ranked, view->thread_count, sizeof *ranked, compare_ranked);
    while (timeline->thread_count < view->thread_count &&
           ranked[timeline->thread_count].time_ns > 0) {
        timeline->threads[timeline->thread_count] = ranked[timeline->thread_count].thread;
        timeline->thread_count++;
    }
    return 0;
}

static uint64_t ceil_div(uint64_t value, uint64_t divisor)
{
    return value / divisor + (value % divisor != 0);
}

static void choose_steps(const struct query_filter *filter, uint64_t end_ns, uint64_t step_ns,
                         struct query_timeline *timeline)
{
    uint64_t start_ns = filter->from_ns < end_ns ? filter->from_ns : end_ns;
    uint64_t length_ns = end_ns - start_ns;
    uint64_t steps_max = TIMELINE_STEPS_MAX;
    if (timeline->thread_count > TIMELINE_CELLS_MAX / TIMELINE_STEPS_MAX)
        steps_max = TIMELINE_CELLS_MAX / timeline->thread_count + 1;
    if (step_ns == 0)
        step_ns = TIMELINE_STEP_DEFAULT_NS;
    if (ceil_div(length_ns, step_ns) > steps_max)
        step_ns = ceil_div(length_ns, steps_max);
    timeline->start_ns = start_ns;
    timeline->step_ns = step_ns;
    timeline->step_count = (size_t)ceil_div(length_ns, step_ns);
}

/*
 * Spreads time over the steps that a bucket covers, since nothing says where within it samples
 * were. What lies past the last step goes to the last, so that the sum is the range's time.
 */
static void spread(const struct query_timeline *timeline, const struct bucket *bucket,
                   uint64_t time_ns, uint64_t *series)
{
    uint64_t length_ns = bucket->end_ns > bucket->start_ns ? bucket->end_ns - bucket->start_ns : 1;
    uint64_t begin_ns = bucket->start_ns - timeline->start_ns;
    size_t step = (size_t)(begin_ns / timeline->step_ns);
    if (step >= timeline->step_count)
        step = timeline->step_count - 1;
    uint64_t given_ns = 0;
    for (; step + 1 < timeline->step_count; step++) {
        uint64_t covered_ns = (step + 1) * timeline->step_ns - begin_ns;
        if (covered_ns >= length_ns)
            break;
        uint64_t until_ns = (uint64_t)((double)time_ns * (double)covered_ns / (double)length_ns);
        series[step] += until_ns - given_ns;
        given_ns = until_ns;
    }
    series[step] += time_ns - given_ns;
}

/* Sums a bucket by thread first: it may have many stacks, and cover many steps. */
static void add_bucket(const struct query_filter *filter, const struct bucket *bucket,
                       const size_t *row_of_thread, uint64_t *row_time_ns,
                       struct query_timeline *timeline)
{
    for (size_t i = 0; i < bucket->count; i++) {
        const struct bucket_entry *entry = &bucket->entries[i];
        if (query_filter_entry(filter, entry))
            row_time_ns[row_of_thread[entry->thread]] += query_filter_time_ns(filter, entry);
    }
    for (size_t row = 0; row < timeline->thread_count; row++) {
        if (row_time_ns[row])
            spread(timeline, bucket, row_time_ns[row],
                   timeline->time_ns + row * timeline->step_count);
        row_time_ns[row] = 0;
    }
}

static int fill_series(const struct profile_view *view, const struct query_filter *filter,
                       struct query_timeline *timeline)
{
    size_t cells = timeline->thread_count * timeline->step_count;
    timeline->time_ns = calloc(cells + 1, sizeof *timeline->time_ns);
    _cleanup_free_ size_t *row_of_thread = calloc(view->thread_count + 1, sizeof *row_of_thread);
    _cleanup_free_ uint64_t *row_time_ns = calloc(view->thread_count + 1, sizeof *row_time_ns);
    if (!timeline->time_ns || !row_of_thread || !row_time_ns)
        return -ENOMEM;
    /* Threads without time share row 0: what they add there is nothing. */
    for (size_t i = 0; i < timeline->thread_count; i++)
        row_of_thread[timeline->threads[i]] = i;
    for (size_t i = 0; i < view->bucket_count && cells; i++)
        if (query_filter_bucket(filter, view->buckets[i]))
            add_bucket(filter, view->buckets[i], row_of_thread, row_time_ns, timeline);
    return 0;
}

static void timeline_cleanup(struct query_timeline **timeline)
{
    query_timeline_free(*timeline);
}

int query_timeline(const struct profile_view *view, const struct query_options *options,
                   uint64_t step_ns, struct query_timeline **ret_timeline)
{
    _cleanup_query_filter_ struct query_filter filter;
    int error = query_filter_init(&filter, view, options);
    if (error)
        return error;
    __attribute__((cleanup(timeline_cleanup))) struct query_timeline *timeline =
        calloc(1, sizeof *timeline);
    if (!timeline)
        return -ENOMEM;

    error = rank_threads(view, &filter, timeline);
    if (error)
        return error;
    uint64_t end_ns = filter.to_ns < view->duration_ns ? filter.to_ns : view->duration_ns;
    choose_steps(&filter, end_ns, step_ns, timeline);
    error = fill_series(view, &filter, timeline);
    if (!error)
        *ret_timeline = take_pointer(timeline);
    return error;
}

void query_timeline_free(struct query_timeline *timeline)
{
    if (!timeline)
        return;
    free(timeline->threads);
    free(timeline->time_ns);
    free(timeline);
}
