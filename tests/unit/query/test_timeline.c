/* The timeline and the thread table. */
#include "fixture.h"

static void timeline_cleanup(struct query_timeline **timeline)
{
    query_timeline_free(*timeline);
}

static void threads_cleanup(struct query_threads **threads)
{
    query_threads_free(*threads);
}

#define _cleanup_timeline_ _cleanup_(timeline_cleanup)
#define _cleanup_threads_ _cleanup_(threads_cleanup)
#define MS UINT64_C(1000000)

static struct query_timeline *get_shape(struct fixture *f, struct query_timeline_options shape)
{
    struct query_timeline *timeline = NULL;
    assert_int_equal(query_timeline(&f->view, &f->options, &shape, &timeline), 0);
    return timeline;
}

static struct query_timeline *get_timeline(struct fixture *f, uint64_t step_ns)
{
    return get_shape(f, (struct query_timeline_options){.step_ns = step_ns});
}

/* Thread 0 is idle, thread 1 runs in bucket 0 and 3, thread 2 in bucket 1 only; 100 ms each. */
static void make_run(struct fixture *f)
{
    uint32_t file = make_file(f, "a.c");
    uint32_t place = make_place(f, make_function(f, "main", file, 1), file, 2);
    for (pid_t tid = 10; tid < 13; tid++)
        make_thread(f, tid);
    for (uint64_t i = 0; i < 4; i++) {
        make_bucket(f, i * 100 * MS, (i + 1) * 100 * MS);
        if (i == 0 || i == 3)
            add_samples(f, 1, 10 + (uint32_t)i, place);
        if (i == 1)
            add_samples(f, 2, 40, place);
    }
}

static void each_thread_has_a_series_busiest_first(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    _cleanup_timeline_ struct query_timeline *timeline = get_timeline(f, 100 * MS);
    assert_int_equal(timeline->series_count, 2);
    assert_int_equal(timeline->step_count, 4);
    assert_int_equal(timeline->threads[0], 2);
    assert_int_equal(timeline->threads[1], 1);
    const uint64_t want_ms[] = {0, 40, 0, 0, 10, 0, 0, 13};
    for (size_t i = 0; i < array_length(want_ms); i++)
        assert_int_equal(timeline->time_ns[i], want_ms[i] * MS);
    for (size_t i = 0; i < array_length(want_ms); i++)
        assert_int_equal(timeline->hits[i], want_ms[i]); /* a sample is a millisecond here */
}

static void wider_steps_add_up(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    f->options.from_ns = 100 * MS;
    _cleanup_timeline_ struct query_timeline *timeline = get_timeline(f, 200 * MS);
    assert_int_equal(timeline->start_ns, 100 * MS);
    assert_int_equal(timeline->step_count, 2);
    const uint64_t want_ms[] = {40, 0, 0, 13};
    for (size_t i = 0; i < array_length(want_ms); i++)
        assert_int_equal(timeline->time_ns[i], want_ms[i] * MS);
}

static void a_coarse_bucket_is_spread_over_its_steps(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c");
    uint32_t place = make_place(f, make_function(f, "main", file, 1), file, 2);
    make_bucket(f, 0, 400 * MS);
    add_samples(f, 0, 100, place);
    make_bucket(f, 400 * MS, 500 * MS);
    add_samples(f, 0, 7, place);
    _cleanup_timeline_ struct query_timeline *timeline = get_timeline(f, 150 * MS);
    assert_int_equal(timeline->step_count, 4);
    assert_near(timeline->time_ns[0], 37.5 * (double)MS, 1);
    assert_near(timeline->time_ns[1], 37.5 * (double)MS, 1);
    assert_near(timeline->time_ns[2], (25 + 3.5) * (double)MS, 1);
    assert_near(timeline->time_ns[3], 3.5 * (double)MS, 1);
    uint64_t sum_ns = 0;
    for (size_t i = 0; i < 4; i++)
        sum_ns += timeline->time_ns[i];
    assert_int_equal(sum_ns, 107 * MS);
}

static void steps_are_at_most_ten_thousand(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    _cleanup_timeline_ struct query_timeline *timeline = get_timeline(f, 1);
    assert_int_equal(timeline->step_count, 10000);
    assert_int_equal(timeline->step_ns, 400 * MS / 10000);
    _cleanup_timeline_ struct query_timeline *widest = get_timeline(f, UINT64_MAX);
    assert_int_equal(widest->step_count, 1);
    assert_int_equal(widest->time_ns[0], 40 * MS);
}

static void a_range_past_the_end_has_no_steps(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    f->options.from_ns = 900 * MS;
    _cleanup_timeline_ struct query_timeline *timeline = get_timeline(f, MS);
    assert_int_equal(timeline->step_count, 0);
    assert_int_equal(timeline->series_count, 0);
}

static void points_choose_a_round_step(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c");
    uint32_t place = make_place(f, make_function(f, "main", file, 1), file, 2);
    make_bucket(f, 0, 100 * MS);
    add_samples(f, 0, 7, place);
    make_bucket(f, 59900 * MS, 60000 * MS);
    add_samples(f, 0, 5, place);
    static const struct {
        uint64_t points, step_ms;
    } cases[] = {{600, 100}, {599, 200}, {300, 200}, {299, 500}, {60, 1000},
                 {59, 2000}, {6, 10000}, {5, 20000}, {1, 100000}};
    for (size_t i = 0; i < array_length(cases); i++) {
        _cleanup_timeline_ struct query_timeline *timeline =
            get_shape(f, (struct query_timeline_options){.points = cases[i].points});
        assert_int_equal(timeline->step_ns, cases[i].step_ms * MS);
        assert_true(timeline->step_count <= cases[i].points);
        uint64_t hits = 0;
        for (size_t j = 0; j < timeline->step_count; j++)
            hits += timeline->hits[j];
        assert_int_equal(hits, 12);
    }
    _cleanup_timeline_ struct query_timeline *coarse =
        get_shape(f, (struct query_timeline_options){.step_ns = 3000 * MS, .points = 100});
    assert_int_equal(coarse->step_ns, 3000 * MS);
}

/* 7,000 threads, the n-th with n + 1 samples: three are shown, and the others are their sum. */
static void threads_past_the_limit_share_a_series(void **state)
{
    struct fixture *f = *state;
    enum { THREADS = 7000, SHOWN = 3 };
    uint32_t file = make_file(f, "a.c");
    uint32_t place = make_place(f, make_function(f, "main", file, 1), file, 2);
    uint32_t node = add_samples(f, 0, 1, place);
    struct profile_thread *threads = calloc(THREADS, sizeof *threads);
    struct bucket *bucket = calloc(1, sizeof *bucket + THREADS * sizeof bucket->entries[0]);
    assert_true(threads && bucket);
    *bucket = (struct bucket){.end_ns = 100 * MS, .count = THREADS};
    for (uint32_t i = 0; i < THREADS; i++)
        bucket->entries[i] = (struct bucket_entry){
            .node = node, .thread = i, .hits = i + 1, .weight_ns = (i + 1) * MS};
    free(f->buckets[0]);
    f->buckets[0] = bucket;
    f->view.threads = threads;
    f->view.thread_count = THREADS;

    _cleanup_timeline_ struct query_timeline *timeline =
        get_shape(f, (struct query_timeline_options){.points = 10, .series_max = SHOWN});
    assert_int_equal(timeline->series_count, SHOWN + 1);
    assert_int_equal(timeline->other_count, THREADS - SHOWN);
    assert_int_equal(timeline->step_count, 1);
    uint64_t left = (uint64_t)THREADS * (THREADS + 1) / 2;
    for (uint32_t i = 0; i < SHOWN; i++) {
        assert_int_equal(timeline->threads[i], THREADS - 1 - i);
        assert_int_equal(timeline->hits[i], THREADS - i);
        left -= THREADS - i;
    }
    assert_int_equal(timeline->hits[SHOWN], left);
    assert_int_equal(timeline->time_ns[SHOWN], left * MS);

    _cleanup_timeline_ struct query_timeline *all =
        get_shape(f, (struct query_timeline_options){.series_max = THREADS});
    assert_int_equal(all->series_count, THREADS);
    assert_int_equal(all->other_count, 0);
    f->view.thread_count = 0;
    free(threads);
}

static void all_threads_are_listed_busiest_first(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    _cleanup_threads_ struct query_threads *threads = NULL;
    assert_int_equal(query_threads(&f->view, &f->options, &threads), 0);
    assert_int_equal(threads->count, 3);
    const struct {
        uint32_t thread;
        uint64_t hits;
    } want[] = {{2, 40}, {1, 23}, {0, 0}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(threads->rows[i].thread, want[i].thread);
        assert_int_equal(threads->rows[i].cost.self_hits, want[i].hits);
        assert_int_equal(threads->rows[i].cost.self_time_ns, want[i].hits * SAMPLE_NS);
    }
    assert_near(threads->rows[0].cost.self_percent, 4000 / 63.0, 1e-9);
}

static void threads_are_those_of_the_filter(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    const pid_t tid = 11;
    f->options.tids = &tid;
    f->options.tid_count = 1;
    f->options.from_ns = 100 * MS;
    set_focus(f, "main");
    _cleanup_threads_ struct query_threads *threads = NULL;
    assert_int_equal(query_threads(&f->view, &f->options, &threads), 0);
    assert_int_equal(threads->count, 1);
    assert_int_equal(threads->rows[0].cost.self_hits, 13);
    assert_int_equal(threads->total.hits, 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        query_test(each_thread_has_a_series_busiest_first),
        query_test(wider_steps_add_up),
        query_test(a_coarse_bucket_is_spread_over_its_steps),
        query_test(steps_are_at_most_ten_thousand),
        query_test(a_range_past_the_end_has_no_steps),
        query_test(points_choose_a_round_step),
        query_test(threads_past_the_limit_share_a_series),
        query_test(all_threads_are_listed_busiest_first),
        query_test(threads_are_those_of_the_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
