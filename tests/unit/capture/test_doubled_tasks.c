/* Of two events that sample a task, the one that was opened later is one too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture/doubled_tasks.h"

/* Events by their ids, in the order in which they were opened; these have descriptors 100 more. */
enum { CERTAIN = 1, DOUBTFUL, MORE_DOUBTFUL };
#define FD(event) (100 + (event))

static struct doubled_tasks tasks;
static int closed_fd; /* by the last record */

static int set_up(void **state)
{
    (void)state;
    tasks = (struct doubled_tasks){0};
    int error = doubled_tasks_add(&tasks, DOUBTFUL, FD(DOUBTFUL));
    return error ? error : doubled_tasks_add(&tasks, MORE_DOUBTFUL, FD(MORE_DOUBTFUL));
}

static int tear_down(void **state)
{
    (void)state;
    doubled_tasks_clear(&tasks);
    return 0;
}

static bool counts_on(uint32_t cpu, pid_t tid, uint64_t event_id)
{
    const struct record record = {
        .type = RECORD_SAMPLE,
        .tid = tid,
        .sample = {.tid = tid, .cpu = cpu, .event_id = event_id},
    };
    return doubled_tasks_count(&tasks, &record, &closed_fd);
}

static bool counts(pid_t tid, uint64_t event_id)
{
    return counts_on(0, tid, event_id);
}

static void tell(enum record_type type, pid_t tid)
{
    const struct record record = {.type = type, .tid = tid};
    assert_true(doubled_tasks_count(&tasks, &record, &closed_fd));
    assert_int_equal(closed_fd, -1);
}

static void the_later_of_two_events_is_closed_and_one_sample_stands_for_both(void **state)
{
    (void)state;
    assert_true(counts(10, DOUBTFUL));
    assert_int_equal(closed_fd, -1);
    assert_false(counts(10, CERTAIN)); /* the one before stands for it */
    assert_int_equal(closed_fd, FD(DOUBTFUL));
    assert_false(counts(10, DOUBTFUL)); /* was in the ring already */
    assert_int_equal(closed_fd, -1);
    assert_true(counts(10, CERTAIN));
    assert_int_equal(closed_fd, -1);
}

static void so_it_is_when_the_older_event_is_the_first_to_be_heard(void **state)
{
    (void)state;
    assert_true(counts(10, CERTAIN));
    assert_false(counts(10, DOUBTFUL));
    assert_int_equal(closed_fd, FD(DOUBTFUL));
    assert_true(counts(10, CERTAIN));
}

static void what_a_task_tells_of_an_event_holds_for_all_that_inherited_it(void **state)
{
    (void)state;
    assert_true(counts(11, CERTAIN));
    assert_false(counts(11, DOUBTFUL));
    assert_false(counts(12, DOUBTFUL));
    assert_true(counts(12, CERTAIN));
}

static void of_three_events_one_is_left(void **state)
{
    (void)state;
    assert_true(counts(10, MORE_DOUBTFUL));
    assert_false(counts(10, DOUBTFUL));
    assert_int_equal(closed_fd, FD(MORE_DOUBTFUL));
    assert_false(counts(10, CERTAIN));
    assert_int_equal(closed_fd, FD(DOUBTFUL));
    assert_true(counts(10, CERTAIN));
    assert_false(counts(10, DOUBTFUL));
    assert_false(counts(10, MORE_DOUBTFUL));
}

static void a_task_with_one_event_keeps_it(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(counts(10, DOUBTFUL));
        assert_true(counts(11, MORE_DOUBTFUL));
        assert_true(counts(12, CERTAIN));
    }
}

static void events_of_different_cpus_do_not_repeat_each_other(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(counts_on(0, 10, CERTAIN));
        assert_true(counts_on(1, 10, DOUBTFUL));
        assert_int_equal(closed_fd, -1);
    }
}

static void a_tid_that_is_used_again_is_another_task(void **state)
{
    (void)state;
    assert_true(counts(10, DOUBTFUL));
    tell(RECORD_EXIT, 10);
    assert_true(counts(10, CERTAIN));
    tell(RECORD_LOST, 0); /* its end, perhaps */
    assert_true(counts(10, DOUBTFUL));
    tell(RECORD_MISSED, 0);
    assert_true(counts(10, CERTAIN));
}

#define with_events(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_events(the_later_of_two_events_is_closed_and_one_sample_stands_for_both),
        with_events(so_it_is_when_the_older_event_is_the_first_to_be_heard),
        with_events(what_a_task_tells_of_an_event_holds_for_all_that_inherited_it),
        with_events(of_three_events_one_is_left),
        with_events(a_task_with_one_event_keeps_it),
        with_events(events_of_different_cpus_do_not_repeat_each_other),
        with_events(a_tid_that_is_used_again_is_another_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
