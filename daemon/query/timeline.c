/* The timeline: CPU time and samples over time, by thread. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "query/thread_rank.h"

#define TIMELINE_STEPS_MAX 10000
/* 32 MiB of answer however many threads there are; steps grow before that is exceeded. */
#define TIMELINE_CELLS_MAX (UINT64_C(4) << 20)
#define TIMELINE_STEP_DEFAULT_NS (100 * NS_PER_MS)

/* A series for each thread with samples, busiest first; what is too many shares one. */
static int choose_series(const struct profile_view *view, const struct query_filter *filter,
                         size_t series_max, struct query_timeline *timeline)
{
    size_t count = 0;
    int error = query_rank_threads(view, filter, &timeline->threads, &count);
    if (error)
        return error;
    timeline->series_count = count;
    if (series_max && count > series_max) {
        timeline->other_count = count - series_max;
        timeline->series_count = series_max + 1;
    }
    return 0;
}

static uint64_t ceil_div(uint64_t value, uint64_t divisor)
{
    return value / divisor + (value % divisor != 0);
}

/* The narrowest step of a round number of buckets that makes at most so many of them. */
static uint64_t round_step_ns(uint64_t length_ns, uint64_t steps_max)
{
    static const uint64_t factors[] = {2, 5, 10};
    uint64_t decade_ns = TIMELINE_STEP_DEFAULT_NS, step_ns = decade_ns;
    for (size_t i = 0; ceil_div(length_ns, step_ns) > steps_max; i++) {
        step_ns = decade_ns * factors[i % 3];
        if (i % 3 == 2)
            decade_ns = step_ns;
        if (step_ns > UINT64_MAX / 10)
            break;
    }
    return step_ns;
}

static void choose_steps(const struct query_filter *filter, uint64_t end_ns,
                         const struct query_timeline_options *shape,
                         struct query_timeline *timeline)
{
    uint64_t start_ns = filter->from_ns < end_ns ? filter->from_ns : end_ns;
    uint64_t length_ns = end_ns - start_ns;
    uint64_t steps_max = TIMELINE_STEPS_MAX, step_ns = shape->step_ns;
    if (timeline->series_count > TIMELINE_CELLS_MAX / TIMELINE_STEPS_MAX)
        steps_max = TIMELINE_CELLS_MAX / timeline->series_count + 1;
    if (shape->points && ceil_div(length_ns, step_ns ? step_ns : 1) > shape->points)
        step_ns = round_step_ns(length_ns, shape->points);
    if (step_ns == 0)
        step_ns = TIMELINE_STEP_DEFAULT_NS;
    if (ceil_div(length_ns, step_ns) > steps_max)
        step_ns = ceil_div(length_ns, steps_max);
    timeline->start_ns = start_ns;
    timeline->step_ns = step_ns;
    timeline->step_count = (size_t)ceil_div(length_ns, step_ns);
}

/*
 * Spreads a number over the steps that a bucket covers, since nothing says where within it samples
 * were. What lies past the last step goes to the last, so that the sum is the range's.
 */
static void spread(const struct query_timeline *timeline, const struct bucket *bucket,
                   uint64_t number, uint64_t *series)
{
    uint64_t length_ns = bucket->end_ns > bucket->start_ns ? bucket->end_ns - bucket->start_ns : 1;
    uint64_t begin_ns = bucket->start_ns - timeline->start_ns;
    size_t step = (size_t)(begin_ns / timeline->step_ns);
    if (step >= timeline->step_count)
        step = timeline->step_count - 1;
    uint64_t given = 0;
    for (; step + 1 < timeline->step_count; step++) {
        uint64_t covered_ns = (step + 1) * timeline->step_ns - begin_ns;
        if (covered_ns >= length_ns)
            break;
        uint64_t until = (uint64_t)((double)number * (double)covered_ns / (double)length_ns);
        series[step] += until - given;
        given = until;
    }
    series[step] += number - given;
}

/* Sums a bucket by series first: it may have many stacks, and cover many steps. */
static void add_bucket(const struct query_filter *filter, const struct bucket *bucket,
                       const size_t *row_of_thread, struct query_count *row_counts,
                       struct query_timeline *timeline)
{
    for (size_t i = 0; i < bucket->count; i++) {
        const struct bucket_entry *entry = &bucket->entries[i];
        if (!query_filter_entry(filter, entry))
            continue;
        struct query_count count = {entry->hits, query_filter_time_ns(filter, entry)};
        query_count_add(&row_counts[row_of_thread[entry->thread]], count);
    }
    for (size_t row = 0; row < timeline->series_count; row++) {
        size_t first = row * timeline->step_count;
        if (row_counts[row].time_ns)
            spread(timeline, bucket, row_counts[row].time_ns, timeline->time_ns + first);
        if (row_counts[row].hits)
            spread(timeline, bucket, row_counts[row].hits, timeline->hits + first);
        row_counts[row] = (struct query_count){0};
    }
}

static int fill_series(const struct profile_view *view, const struct query_filter *filter,
                       struct query_timeline *timeline)
{
    size_t cells = timeline->series_count * timeline->step_count;
    size_t ranked = timeline->series_count;
    if (timeline->other_count)
        ranked += timeline->other_count - 1;
    timeline->time_ns = calloc(cells + 1, sizeof *timeline->time_ns);
    timeline->hits = calloc(cells + 1, sizeof *timeline->hits);
    _cleanup_free_ size_t *row_of_thread = calloc(view->thread_count + 1, sizeof *row_of_thread);
    _cleanup_free_ struct query_count *row_counts =
        calloc(timeline->series_count + 1, sizeof *row_counts);
    if (!timeline->time_ns || !timeline->hits || !row_of_thread || !row_counts)
        return -ENOMEM;
    /* Threads without samples get a row past the last. */
    for (size_t i = 0; i < view->thread_count; i++)
        row_of_thread[i] = timeline->series_count;
    for (size_t i = 0; i < ranked; i++)
        row_of_thread[timeline->threads[i]] =
            i < timeline->series_count ? i : timeline->series_count - 1;
    for (size_t i = 0; i < view->bucket_count && cells; i++)
        if (query_filter_bucket(filter, view->buckets[i]))
            add_bucket(filter, view->buckets[i], row_of_thread, row_counts, timeline);
    return 0;
}

static void timeline_cleanup(struct query_timeline **timeline)
{
    query_timeline_free(*timeline);
}

int query_timeline(const struct profile_view *view, const struct query_options *options,
                   const struct query_timeline_options *shape, struct query_timeline **ret_timeline)
{
    _cleanup_query_filter_ struct query_filter filter;
    int error = query_filter_init(&filter, view, options);
    if (error)
        return error;
    __attribute__((cleanup(timeline_cleanup))) struct query_timeline *timeline =
        calloc(1, sizeof *timeline);
    if (!timeline)
        return -ENOMEM;

    error = choose_series(view, &filter, shape->series_max, timeline);
    if (error)
        return error;
    uint64_t end_ns = filter.to_ns < view->duration_ns ? filter.to_ns : view->duration_ns;
    choose_steps(&filter, end_ns, shape, timeline);
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
    free(timeline->hits);
    free(timeline);
}
