/* What can be profiled: a process lives as long as any of its threads does. */
#include "../mainless.h"

#include <errno.h>
#include <stdlib.h>

#include "process/process_check.h"

static void a_process_without_its_main_thread_is_fine(void **state)
{
    (void)state;
    struct failure failure = {0};
    char *command = NULL, *executable = NULL;
    pid_t tid, pid = mainless_start(NULL, &tid);
    assert_int_equal(process_check(pid, &failure), 0);
    assert_int_equal(process_describe(pid, &command, &executable), 0);
    assert_non_null(strstr(command, "test_process_check"));
    assert_non_null(strstr(executable, "test_process_check"));
    free(command);
    free(executable);
    mainless_end(pid);
}

static void its_thread_is_a_thread_still(void **state)
{
    (void)state;
    struct failure failure = {0};
    char expected[64];
    pid_t tid, pid = mainless_start(NULL, &tid);
    snprintf(expected, sizeof expected, "%d is a thread of process %d:", tid, pid);
    assert_int_equal(process_check(tid, &failure), -ENOTSUP);
    assert_non_null(strstr(failure.text, expected));
    mainless_end(pid);
}

static void a_zombie_has_nothing_left_to_profile(void **state)
{
    (void)state;
    struct failure failure = {0};
    pid_t pid = mainless_zombie();
    char expected[256];
    snprintf(expected, sizeof expected,
             "process %d has ended and waits for its parent %d (a zombie): there is nothing left "
             "to profile",
             pid, getpid());
    assert_int_equal(process_check(pid, &failure), -ENOTSUP);
    assert_string_equal(failure.text, expected);
    mainless_end(pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_without_its_main_thread_is_fine),
        cmocka_unit_test(its_thread_is_a_thread_still),
        cmocka_unit_test(a_zombie_has_nothing_left_to_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
