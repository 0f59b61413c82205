/* Descendants: found through every generation, with the CPU time of those that have ended. */
#include "../mainless.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "process/descendants.h"
#include "process/proc_text.h"

/* A child that has a child of its own, and tells that one's pid. Both end with the pipe. */
static pid_t start_two(int *ret_hold_fd, pid_t *ret_grandchild)
{
    int told[2], hold[2];
    assert_int_equal(pipe(told), 0);
    assert_int_equal(pipe(hold), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char byte;
        close(hold[1]);
        pid_t grandchild = fork();
        if (grandchild > 0 &&
            write(told[1], &grandchild, sizeof grandchild) != (ssize_t)sizeof grandchild)
            _exit(1);
        while (read(hold[0], &byte, 1) > 0)
            ;
        if (grandchild > 0)
            waitpid(grandchild, NULL, 0);
        _exit(0);
    }
    close(hold[0]);
    assert_int_equal(read(told[0], ret_grandchild, sizeof *ret_grandchild), sizeof *ret_grandchild);
    close(told[0]);
    close(told[1]);
    *ret_hold_fd = hold[1];
    return child;
}

static void every_generation_is_found_parents_first(void **state)
{
    (void)state;
    struct descendants found = {0};
    pid_t grandchild = 0;
    int hold = -1;
    pid_t child = start_two(&hold, &grandchild);
    assert_int_equal(descendants_read(getpid(), &found), 0);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.pids[0], child);
    assert_int_equal(found.pids[1], grandchild);
    close(hold);
    assert_int_equal(waitpid(child, NULL, 0), child);
    descendants_clear(&found);
    assert_int_equal(descendants_read(getpid(), &found), 0);
    assert_int_equal(found.count, 0);
    descendants_clear(&found);
}

static void burn(uint64_t burn_ns)
{
    struct timespec now = {0};
    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    while ((uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec < burn_ns);
}

static void what_ended_children_used_counts_and_zombies_do_not_live(void **state)
{
    (void)state;
    struct descendants before = {0}, zombie = {0}, after = {0};
    assert_int_equal(descendants_read(getpid(), &before), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        burn(200 * NS_PER_MS);
        _exit(0);
    }
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(descendants_read(getpid(), &zombie), 0);
    assert_int_equal(zombie.count, 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(descendants_read(getpid(), &after), 0);
    /* utime and stime are each rounded down to a tick of 10 ms. */
    assert_true(zombie.cpu_ns - before.cpu_ns >= 170 * NS_PER_MS);
    assert_true(after.cpu_ns - before.cpu_ns >= 170 * NS_PER_MS);
    descendants_clear(&before);
    descendants_clear(&zombie);
    descendants_clear(&after);
}

static void a_child_lives_without_its_main_thread(void **state)
{
    (void)state;
    struct descendants found = {0};
    pid_t tid, child = mainless_start(NULL, &tid);
    assert_int_equal(descendants_read(getpid(), &found), 0);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.pids[0], child);
    descendants_clear(&found);
    mainless_end(child);
}

static void a_process_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    struct descendants found = {0};
    assert_int_equal(descendants_read(0, &found), -ESRCH);
    assert_int_equal(descendants_read(INT32_MAX, &found), -ESRCH);
}

static void numbers_stand_in_their_fields(void **state)
{
    (void)state;
    struct proc_stat stat;
    const char *text = "7 (a) b) R 5 1 1 0 -1 64 10 11 12 13 100 20 3000 400 20 0 9 0 777 1 2 "
                       "18446744073709551615 3 4 140737488348864 5";
    assert_int_equal(proc_stat_parse(text, &stat), 0);
    assert_int_equal(stat.parent, 5);
    assert_int_equal(stat.own_ticks, 120);
    assert_int_equal(stat.waited_ticks, 3400);
    assert_int_equal(stat.threads, 9);
    assert_int_equal(stat.start_ticks, 777);
    assert_int_equal(stat.start_stack, 140737488348864);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_generation_is_found_parents_first),
        cmocka_unit_test(what_ended_children_used_counts_and_zombies_do_not_live),
        cmocka_unit_test(a_child_lives_without_its_main_thread),
        cmocka_unit_test(a_process_that_does_not_exist_is_refused),
        cmocka_unit_test(numbers_stand_in_their_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
