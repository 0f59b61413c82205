/* The thread table: a tid that is used again is another thread, and churn does not fill memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "lprofd/privilege.h"
#include "process/thread_table.h"

#define PID 77
#define NOBODYS_TID 0x3fffff00 /* beyond the kernel's greatest: PID_MAX_LIMIT is 2^22 */

static struct thread_table *table;

static int set_up(void **state)
{
    (void)state;
    return thread_table_new(&table);
}

static int tear_down(void **state)
{
    (void)state;
    thread_table_free(table);
    return 0;
}

static uint32_t index_of(pid_t tid)
{
    uint32_t index = UINT32_MAX;
    assert_int_equal(thread_table_find(table, PID, tid, &index), 0);
    return index;
}

static void a_thread_keeps_its_index(void **state)
{
    (void)state;
    uint32_t first = index_of(10), second = index_of(11);
    assert_int_not_equal(first, second);
    assert_int_equal(index_of(10), first);
    assert_int_equal(index_of(11), second);
}

static void a_tid_used_again_is_another_thread(void **state)
{
    (void)state;
    uint32_t first = index_of(10);
    thread_table_sample(table, first, 1000);
    thread_table_exit(table, PID, 10);
    uint32_t second = index_of(10);
    assert_int_not_equal(first, second);
    thread_table_sample(table, second, 1000);

    struct profile_thread *threads = NULL;
    size_t count = 0;
    uint32_t alive = 0;
    assert_int_equal(thread_table_copy(table, &threads, &count, &alive), 0);
    assert_int_equal(count, 2);
    assert_int_equal(alive, 1);
    assert_int_equal(threads[first].state, THREAD_EXITED);
    assert_int_equal(threads[first].hits, 1);
    assert_int_equal(threads[second].sampled_ns, 1000);
    free(threads);
}

/* However an end comes to be known, also of a process whose pid has the same hash. */
static void a_process_lives_until_its_last_thread_ends(void **state)
{
    (void)state;
    for (pid_t pid = PID; pid < PID + 10000; pid += 100) {
        uint32_t index = 0;
        assert_false(thread_table_has_living(table, pid));
        assert_int_equal(thread_table_find(table, pid, pid, &index), 0);
        assert_int_equal(thread_table_find(table, pid, NOBODYS_TID + pid, &index), 0);
        thread_table_exit(table, pid, pid);
        thread_table_exit(table, pid, pid);
        assert_true(thread_table_has_living(table, pid));
    }
    thread_table_exit_all(table, PID);
    assert_false(thread_table_has_living(table, PID));
    assert_true(thread_table_has_living(table, PID + 100));
    thread_table_account(table, true, false); /* no such threads: they are seen to have ended */
    for (pid_t pid = PID; pid < PID + 10000; pid += 100)
        assert_false(thread_table_has_living(table, pid));
}

static uint32_t sampled_index_of(pid_t pid, pid_t tid)
{
    uint32_t index = UINT32_MAX;
    assert_int_equal(thread_table_find_sampled(table, pid, tid, &index), 0);
    thread_table_sample(table, index, 10);
    return index;
}

static void samples_after_a_threads_end_are_its_own(void **state)
{
    (void)state;
    uint32_t first = index_of(10);
    assert_int_equal(sampled_index_of(PID, 10), first);
    thread_table_exit(table, PID, 10);
    assert_int_equal(sampled_index_of(PID, 10), first);
    uint32_t second = index_of(10);
    assert_int_not_equal(second, first);
    assert_int_equal(sampled_index_of(PID, 10), second);
    thread_table_exit(table, PID, 10);
    assert_int_equal(sampled_index_of(PID, 10), second);
    uint32_t other = sampled_index_of(PID + 1, 10);
    assert_true(other != first && other != second);
}

static void a_first_sample_after_the_end_is_not_lost(void **state)
{
    (void)state;
    uint32_t first = index_of(10), second = index_of(11);
    thread_table_exit(table, PID, 10);
    thread_table_exit(table, PID, 11);
    assert_int_equal(sampled_index_of(PID, 10), first);
    assert_int_equal(index_of(12), second); /* nobody needs that one */
    assert_int_not_equal(index_of(13), first);
    assert_int_equal(sampled_index_of(PID, 10), first);
}

static uint32_t count_living(void)
{
    struct profile_thread *threads = NULL;
    size_t count = 0;
    uint32_t alive = 0;
    assert_int_equal(thread_table_copy(table, &threads, &count, &alive), 0);
    free(threads);
    return alive;
}

/* As when its end was told, and its place given to another one, before its last sample came. */
static void a_sample_of_a_thread_that_is_gone_makes_none_alive(void **state)
{
    (void)state;
    sampled_index_of(getpid(), getpid());
    assert_int_equal(count_living(), 1);
    uint32_t gone = sampled_index_of(getpid(), NOBODYS_TID);
    assert_int_equal(count_living(), 1);
    assert_int_equal(sampled_index_of(getpid(), NOBODYS_TID), gone);
    assert_int_equal(count_living(), 1);
}

static void samples_without_a_thread_have_an_entry_with_a_name(void **state)
{
    (void)state;
    uint32_t unknown = sampled_index_of(PID, 0);
    assert_int_equal(sampled_index_of(PID, 0), unknown);
    assert_int_not_equal(sampled_index_of(PID + 1, 0), unknown);
    assert_int_equal(count_living(), 0);
    struct profile_thread *threads = NULL;
    size_t count = 0;
    uint32_t alive = 0;
    assert_int_equal(thread_table_copy(table, &threads, &count, &alive), 0);
    assert_string_equal(threads[unknown].name, "[ended threads]");
    free(threads);
}

static void assert_only_thread(uint32_t index, const char *name)
{
    struct profile_thread *threads = NULL;
    size_t count = 0;
    uint32_t alive = 0;
    assert_int_equal(thread_table_copy(table, &threads, &count, &alive), 0);
    assert_int_equal(count, 1);
    assert_int_equal(index, 0);
    assert_int_equal(alive, 0);
    assert_string_equal(threads[index].name, name);
    free(threads);
}

/* As of a command that takes less time than reading what it did: its end is seen first. */
static void records_of_a_thread_whose_end_was_seen_before_are_its_own(void **state)
{
    (void)state;
    uint32_t first = index_of(10);
    thread_table_exit_all(table, PID);
    assert_int_equal(thread_table_exec(table, PID, 10), 0);
    thread_table_rename(table, PID, 10, "true");
    assert_only_thread(first, "true");
    assert_int_equal(sampled_index_of(PID, 10), first);
    thread_table_rename(table, PID + 1, 10, "another process");
    assert_only_thread(first, "true");
}

/* As of a thread that takes the place of the main one, which has ended, by running a program. */
static void records_after_that_of_the_end_are_of_another_thread(void **state)
{
    (void)state;
    uint32_t first = index_of(10);
    thread_table_rename(table, PID, 10, "first");
    thread_table_exit_all(table, PID); /* seen, then told */
    thread_table_exit(table, PID, 10);
    thread_table_rename(table, PID, 10, "nobody");
    assert_only_thread(first, "first");
    assert_int_equal(thread_table_exec(table, PID, 10), 0);
    thread_table_rename(table, PID, 10, "second");
    uint32_t second = index_of(10);
    assert_int_not_equal(first, second);

    struct profile_thread *threads = NULL;
    size_t count = 0;
    uint32_t alive = 0;
    assert_int_equal(thread_table_copy(table, &threads, &count, &alive), 0);
    assert_int_equal(count, 2);
    assert_int_equal(alive, 1);
    assert_string_equal(threads[first].name, "first");
    assert_string_equal(threads[second].name, "second");
    free(threads);
}

static void a_new_thread_has_the_name_of_its_parent(void **state)
{
    (void)state;
    index_of(10);
    thread_table_rename(table, PID, 10, "worker");
    assert_int_equal(thread_table_fork(table, 10, PID, 11), 0);
    assert_int_equal(thread_table_fork(table, 9, PID, 12), 0);
    thread_table_rename(table, PID, 10, "renamed");
    assert_int_equal(thread_table_fork(table, 10, PID, 11), 0);

    struct profile_thread *threads = NULL;
    size_t count = 0;
    uint32_t alive = 0;
    assert_int_equal(thread_table_copy(table, &threads, &count, &alive), 0);
    assert_int_equal(count, 3);
    assert_string_equal(threads[index_of(11)].name, "worker");
    assert_string_equal(threads[index_of(12)].name, "");
    free(threads);
}

static void threads_that_were_never_sampled_leave_no_trace(void **state)
{
    (void)state;
    for (pid_t tid = 100; tid < 100100; tid++) {
        index_of(tid);
        thread_table_exit(table, PID, tid);
    }
    struct profile_thread *threads = NULL;
    size_t count = 0;
    uint32_t alive = 0;
    assert_int_equal(thread_table_copy(table, &threads, &count, &alive), 0);
    assert_int_equal(count, 1);
    free(threads);
}

static void sampled_threads_past_the_bound_share_an_entry_and_lose_nothing(void **state)
{
    (void)state;
    enum { THREADS = 20000 };
    assert_false(thread_table_is_full(table));
    for (pid_t tid = 1; tid <= THREADS; tid++) {
        thread_table_sample(table, index_of(tid), 10);
        thread_table_exit(table, PID, tid);
    }
    assert_true(thread_table_is_full(table));
    struct profile_thread *threads = NULL;
    size_t count = 0;
    uint32_t alive = 0;
    uint64_t hits = 0, others = 0;
    assert_int_equal(thread_table_copy(table, &threads, &count, &alive), 0);
    assert_true(count < THREADS / 2);
    for (size_t i = 0; i < count; i++) {
        hits += threads[i].hits;
        if (strcmp(threads[i].name, "[other threads]") == 0)
            others += threads[i].hits;
    }
    assert_int_equal(hits, THREADS);
    assert_true(others > 1);
    free(threads);
}

static void what_was_not_read_of_threads_fits_what_all_used_together(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++)
        thread_table_sample(table, index_of(10), 10);
    for (int i = 0; i < 10; i++)
        thread_table_sample(table, index_of(11), 10);
    thread_table_exit(table, PID, 11);
    index_of(12);
    struct profile_thread *threads = NULL;
    size_t count = 0;
    uint32_t alive = 0;
    assert_int_equal(thread_table_copy(table, &threads, &count, &alive), 0);
    uint32_t first = index_of(10), second = index_of(12); /* 11 has ended: its index is between */
    assert_int_equal(threads[first].accounted_ns, 300);
    thread_table_fit(table, 440, threads);
    assert_int_equal(threads[first].accounted_ns, 330);
    assert_int_equal(threads[first + 1].accounted_ns, 110);
    assert_int_equal(threads[second].accounted_ns, 0);
    free(threads);
}

static void what_the_kernel_told_of_a_thread_stays_as_it_is(void **state)
{
    (void)state;
    assert_int_equal(thread_table_scan(table, getpid(), true), 0);
    thread_table_account(table, true, true); /* of all that this process ever used */
    thread_table_sample(table, index_of(11), 1000);
    thread_table_exit(table, PID, 11);
    struct profile_thread *threads = NULL;
    size_t count = 0;
    uint32_t alive = 0;
    assert_int_equal(thread_table_copy(table, &threads, &count, &alive), 0);
    uint64_t first_ns = threads[0].accounted_ns, own_ns = 0;
    for (size_t i = 0; i + 1 < count; i++)
        own_ns += threads[i].accounted_ns;
    assert_int_equal(threads[count - 1].accounted_ns, 1000);
    thread_table_fit(table, own_ns + 1300, threads);
    assert_int_equal(threads[0].accounted_ns, first_ns);
    assert_int_equal(threads[count - 1].accounted_ns, 1300);
    thread_table_fit(table, own_ns / 2, threads);
    assert_int_equal(threads[0].accounted_ns, first_ns);
    assert_int_equal(threads[count - 1].accounted_ns, 0);
    free(threads);
}

static void a_scan_finds_our_own_threads(void **state)
{
    (void)state;
    assert_int_equal(thread_table_scan(table, getpid(), true), 0);
    thread_table_account(table, true, true);
    struct profile_thread *threads = NULL;
    size_t count = 0;
    uint32_t alive = 0;
    assert_int_equal(thread_table_copy(table, &threads, &count, &alive), 0);
    assert_true(count >= 1);
    assert_int_equal(threads[index_of(getpid())].tid, getpid());
    assert_true(strlen(threads[index_of(getpid())].name) > 0);
    free(threads);
}

/* Of our own thread, after one reading while sampling is on. */
static uint64_t accounted_after_scan(bool from_birth)
{
    struct profile_thread *threads = NULL;
    size_t count = 0;
    uint32_t alive = 0;
    assert_int_equal(thread_table_scan(table, getpid(), from_birth), 0);
    thread_table_account(table, true, true);
    assert_int_equal(thread_table_copy(table, &threads, &count, &alive), 0);
    uint64_t accounted_ns = threads[index_of(getpid())].accounted_ns;
    free(threads);
    return accounted_ns;
}

static uint64_t own_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void time_before_a_scan_counts_only_for_those_that_began_since(void **state)
{
    (void)state;
    uint64_t used_ns = 200 * 1000000;
    while (own_cpu_ns() < used_ns)
        ;
    assert_true(accounted_after_scan(false) < used_ns / 2);
    thread_table_free(table);
    assert_int_equal(thread_table_new(&table), 0);
    assert_true(accounted_after_scan(true) > used_ns / 2);
}

/* A reading is the rarer the more it costs: what is gone must not make it so. */
static void ends_that_were_not_told_are_seen_for_less_than_a_file_each(void **state)
{
    (void)state;
    enum { GONE = 8000 };
    uint64_t start_ns = own_cpu_ns();
    for (pid_t i = 0; i < GONE; i++) {
        _cleanup_close_ int fd = -1;
        assert_int_equal(privilege_open_proc(getpid(), NOBODYS_TID + i, PROC_SCHEDSTAT, &fd),
                         -ENOENT);
    }
    uint64_t files_ns = own_cpu_ns() - start_ns;
    for (pid_t i = 0; i < GONE; i++) {
        uint32_t index = 0;
        assert_int_equal(thread_table_find(table, getpid(), NOBODYS_TID + i, &index), 0);
    }
    assert_int_equal(count_living(), GONE);
    start_ns = own_cpu_ns();
    thread_table_account(table, true, false);
    uint64_t account_ns = own_cpu_ns() - start_ns;
    assert_int_equal(count_living(), 0);
    print_message("%.1f ms, for as many files %.1f ms\n", (double)account_ns / 1e6,
                  (double)files_ns / 1e6);
    assert_true(account_ns < files_ns / 2);
}

#define with_table(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_table(a_thread_keeps_its_index),
        with_table(a_process_lives_until_its_last_thread_ends),
        with_table(a_tid_used_again_is_another_thread),
        with_table(samples_after_a_threads_end_are_its_own),
        with_table(a_first_sample_after_the_end_is_not_lost),
        with_table(a_sample_of_a_thread_that_is_gone_makes_none_alive),
        with_table(records_of_a_thread_whose_end_was_seen_before_are_its_own),
        with_table(records_after_that_of_the_end_are_of_another_thread),
        with_table(a_new_thread_has_the_name_of_its_parent),
        with_table(samples_without_a_thread_have_an_entry_with_a_name),
        with_table(threads_that_were_never_sampled_leave_no_trace),
        with_table(sampled_threads_past_the_bound_share_an_entry_and_lose_nothing),
        with_table(what_was_not_read_of_threads_fits_what_all_used_together),
        with_table(what_the_kernel_told_of_a_thread_stays_as_it_is),
        with_table(a_scan_finds_our_own_threads),
        with_table(time_before_a_scan_counts_only_for_those_that_began_since),
        with_table(ends_that_were_not_told_are_seen_for_less_than_a_file_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
