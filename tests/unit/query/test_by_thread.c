/* Tables with a row for each thread, against the tables of each thread alone. */
#include "random_profile.h"

static struct query_lines *lines_by_thread(struct fixture *f)
{
    struct query_lines *lines = NULL;
    assert_int_equal(query_lines_by_thread(&f->view, &f->options, &lines), 0);
    return lines;
}

static struct query_functions *functions_by_thread(struct fixture *f)
{
    struct query_functions *functions = NULL;
    assert_int_equal(query_functions_by_thread(&f->view, &f->options, &functions), 0);
    return functions;
}

static void compare_thread(struct fixture *f, uint32_t thread)
{
    _cleanup_lines_ struct query_lines *lines = lines_by_thread(f);
    _cleanup_functions_ struct query_functions *functions = functions_by_thread(f);
    const pid_t tid = f->threads[thread].tid;
    f->options.tids = &tid;
    f->options.tid_count = 1;
    _cleanup_lines_ struct query_lines *own_lines = get_lines(f);
    _cleanup_functions_ struct query_functions *own_functions = get_functions(f);
    f->options.tid_count = 0;

    size_t count = 0;
    for (size_t i = 0; i < lines->count; i++) {
        const struct query_line *row = &lines->rows[i];
        if (row->thread != thread)
            continue;
        struct query_line own = line_row(own_lines, row->file, row->line);
        assert_hits(row->cost, own.cost.self_hits, own.cost.total_hits);
        count++;
    }
    assert_int_equal(count, own_lines->count);
    count = 0;
    for (size_t i = 0; i < functions->count; i++) {
        const struct query_function *row = &functions->rows[i];
        if (row->thread != thread)
            continue;
        struct query_cost own = function_cost(own_functions, row->function);
        assert_hits(row->cost, own.self_hits, own.total_hits);
        count++;
    }
    assert_int_equal(count, own_functions->count);
}

static void compare_threads(struct fixture *f)
{
    for (uint32_t thread = 0; thread < f->view.thread_count; thread++)
        compare_thread(f, thread);
}

static void rows_of_a_thread_are_its_own_tables(void **state)
{
    (void)state;
    for_each_profile(compare_threads, 30);
}

/* 1,000 threads with a sample each in one function: 256 have rows, and the others share one. */
static void threads_past_the_limit_share_their_rows(void **state)
{
    struct fixture *f = *state;
    enum { THREAD_COUNT = 1000, SHOWN = 256 };
    uint32_t file = make_file(f, "a.c");
    uint32_t place = make_place(f, make_function(f, "main", file, 1), file, 2);
    uint32_t node = add_samples(f, 0, 1, place);
    struct profile_thread *threads = calloc(THREAD_COUNT, sizeof *threads);
    struct bucket *bucket = calloc(1, sizeof *bucket + THREAD_COUNT * sizeof bucket->entries[0]);
    assert_true(threads && bucket);
    *bucket = (struct bucket){.end_ns = 1000, .count = THREAD_COUNT};
    for (uint32_t i = 0; i < THREAD_COUNT; i++)
        bucket->entries[i] = (struct bucket_entry){node, i, i + 1, (i + 1) * SAMPLE_NS};
    free(f->buckets[0]);
    f->buckets[0] = bucket;
    f->view.threads = threads;
    f->view.thread_count = THREAD_COUNT;

    _cleanup_lines_ struct query_lines *lines = lines_by_thread(f);
    assert_int_equal(lines->count, SHOWN + 1);
    assert_int_equal(lines->other_threads, THREAD_COUNT - SHOWN);
    uint64_t hits = 0;
    for (size_t i = 0; i < lines->count; i++)
        hits += lines->rows[i].cost.self_hits;
    assert_int_equal(hits, THREAD_COUNT * (THREAD_COUNT + 1) / 2);
    assert_int_equal(lines->rows[0].thread,
                     QUERY_OTHER_THREADS); /* 744 threads are more than one */
    assert_int_equal(lines->rows[1].thread, THREAD_COUNT - 1);
    assert_int_equal(lines->total.hits, hits);
    f->view.thread_count = 0;
    free(threads);
}

static void samples_without_frames_keep_the_sum_of_functions(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c");
    uint32_t place = make_place(f, make_function(f, "main", file, 1), file, 2);
    add_samples(f, 0, 5, place);
    add_stack(f, 0, 3, 0, NULL);
    _cleanup_functions_ struct query_functions *functions = functions_by_thread(f);
    assert_int_equal(functions->count, 2);
    assert_hits(function_cost(functions, 0), 3, 3);
    assert_hits(function_cost(functions, 1), 5, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_a_thread_are_its_own_tables),
        query_test(threads_past_the_limit_share_their_rows),
        query_test(samples_without_frames_keep_the_sum_of_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
