/* Threads that make answers: every job once, in order, and none left when they stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "http/workers.h"

#define JOBS 1000

struct counted {
    struct job job;
    _Atomic int runs;
    int place; /* among all that were run */
};

static _Atomic int places;

static void count(struct job *job)
{
    struct counted *counted = (struct counted *)job;
    counted->place = places++;
    counted->runs++;
}

static void add_all(struct workers *workers, struct counted *jobs)
{
    places = 0;
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct counted){0};
        assert_true(workers_add(workers, &jobs[i].job));
    }
}

static void what_was_added_is_done_once_before_they_stop(void **state)
{
    (void)state;
    static struct counted jobs[JOBS];
    struct workers *workers;
    assert_int_equal(workers_new(4, count, &workers), 0);
    add_all(workers, jobs);
    workers_stop(workers);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(jobs[i].runs, 1);
    struct counted late = {0};
    assert_false(workers_add(workers, &late.job));
    workers_free(workers);
    assert_int_equal(late.runs, 0);
}

static void one_thread_works_in_the_order_of_coming(void **state)
{
    (void)state;
    static struct counted jobs[JOBS];
    struct workers *workers;
    assert_int_equal(workers_new(1, count, &workers), 0);
    add_all(workers, jobs);
    workers_free(workers);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(jobs[i].place, i);
}

static _Atomic bool may_end;

static void wait_or_count(struct job *job)
{
    struct counted *counted = (struct counted *)job;
    while (!counted->place && !may_end) /* the first one */
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    counted->runs++;
}

static void a_job_that_takes_long_holds_no_other(void **state)
{
    (void)state;
    struct counted jobs[] = {{.place = 0}, {.place = 1}, {.place = 2}};
    struct workers *workers;
    assert_int_equal(workers_new(2, wait_or_count, &workers), 0);
    for (size_t i = 0; i < array_length(jobs); i++)
        assert_true(workers_add(workers, &jobs[i].job));
    while (!jobs[1].runs || !jobs[2].runs)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(jobs[0].runs, 0);
    may_end = true;
    workers_free(workers);
    assert_int_equal(jobs[0].runs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_done_once_before_they_stop),
        cmocka_unit_test(one_thread_works_in_the_order_of_coming),
        cmocka_unit_test(a_job_that_takes_long_holds_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
