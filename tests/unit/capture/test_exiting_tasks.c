/* Samples of tasks whose id is gone: the last end told on their CPU says whose they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/exiting_tasks.h"

#define PID 100

static struct exiting_tasks tasks;

static int set_up(void **state)
{
    (void)state;
    tasks = (struct exiting_tasks){0};
    return 0;
}

static void tell_end(uint32_t cpu, pid_t tid)
{
    const struct record record = {.type = RECORD_EXIT, .pid = PID, .tid = tid, .cpu = cpu};
    exiting_tasks_note(&tasks, &record);
}

static void assert_named(uint32_t cpu, pid_t pid, pid_t named_pid, pid_t named_tid)
{
    struct record record = {.type = RECORD_SAMPLE, .pid = pid, .tid = -1, .cpu = cpu};
    exiting_tasks_name(&tasks, &record);
    assert_int_equal(record.pid, named_pid);
    assert_int_equal(record.tid, named_tid);
    assert_int_equal(record.sample.pid, named_pid);
    assert_int_equal(record.sample.tid, named_tid);
}

static void the_last_end_on_the_cpu_names_the_sample(void **state)
{
    (void)state;
    tell_end(0, 11);
    tell_end(1, 12);
    tell_end(1, 13);
    assert_named(0, PID, PID, 11);
    assert_named(1, PID, PID, 13);
    assert_named(1, -1, PID, 13); /* the process is gone, too */
}

static void what_nobody_told_of_is_of_nobody(void **state)
{
    (void)state;
    assert_named(0, PID, PID, 0);
    assert_named(0, -1, 0, 0);
    tell_end(0, 11);
    assert_named(0, PID + 1, PID + 1, 0);
    assert_named(EXITING_TASKS, PID, PID, 0); /* another CPU in the same place */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_last_end_on_the_cpu_names_the_sample, set_up),
        cmocka_unit_test_setup(what_nobody_told_of_is_of_nobody, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
