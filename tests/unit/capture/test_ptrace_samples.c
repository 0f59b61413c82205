/* The ptrace backend on real processes: what its samples say, and that they stand for CPU time. */
#include <sched.h>
#include <sys/epoll.h>

#include "capture/ptrace_refusal.h"
#include "lprofd/privilege.h"
#include "ptrace_target.h"

static uint64_t cpu_time_ns(pid_t pid)
{
    uint64_t cpu_ns;
    assert_int_equal(privilege_read_cpu_time(pid, &cpu_ns), 0);
    return cpu_ns;
}

static uint64_t sampled_ns(const struct seen *seen)
{
    uint64_t sum_ns = 0;
    for (size_t i = 0; i < seen->thread_count; i++)
        sum_ns += seen->threads[i].weight_ns;
    return sum_ns;
}

/* False: records still come when a capture is disabled and what was under way is over. */
static bool falls_silent(struct capture *capture, struct seen *seen)
{
    for (int i = 0; i < 50; i++) {
        unsigned samples = seen->samples;
        drain_for(capture, 100, seen);
        if (seen->samples == samples)
            return true;
    }
    return false;
}

static void each_busy_thread_is_sampled_and_makes_progress(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start_four_threads(progress);
    struct capture *capture = open_capture(pid, 200);
    struct seen seen = {0};
    drain_for(capture, 100, &seen);
    assert_int_equal(seen.samples, 0); /* a capture starts disabled */
    uint64_t start_ns = clock_monotonic_ns();
    assert_int_equal(capture_ptrace.set_enabled(capture, true), 0);
    for (int i = 0; i < 4; i++) {
        struct thread_seen *thread = seen_thread(&seen, progress->tids[i]);
        drain_until(capture, &seen, &thread->samples, 20);
        assert_int_equal(thread->weight_ns % capture->period_ns, 0);
        assert_true(thread->weight_ns >= thread->samples * capture->period_ns);
        assert_true(makes_progress(progress, i));
    }
    assert_true(sampled_ns(&seen) <= cpu_time_ns(pid) + 4 * capture->period_ns);
    assert_int_equal(seen.bad, 0);
    assert_in_range(seen.maps, 1, 2 + (clock_monotonic_ns() - start_ns) / NS_PER_SECOND);

    assert_int_equal(capture_ptrace.set_enabled(capture, false), 0);
    assert_true(falls_silent(capture, &seen));

    capture_ptrace.close(capture);
    assert_int_equal(ptrace_tracer_of(pid, 0), 0);
    for (int i = 0; i < 4; i++)
        assert_true(makes_progress(progress, i));
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    end(pid, progress);
}

static pid_t start_four_threads_on_one_cpu(struct progress *progress)
{
    cpu_set_t before, first;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&first);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&first) == 0; cpu++)
        if (CPU_ISSET(cpu, &before))
            CPU_SET(cpu, &first);
    assert_int_equal(sched_setaffinity(0, sizeof first, &first), 0);
    pid_t pid = start_four_threads(progress);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    return pid;
}

/* Four threads wait for one CPU: each is runnable all the time and runs a quarter of it. */
static void samples_stand_for_cpu_time_not_for_waiting(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start_four_threads_on_one_cpu(progress);
    struct capture *capture = open_and_enable(pid, 500);
    struct seen seen = {0};
    drain_for(capture, 100, &seen);
    memset(&seen, 0, sizeof seen);
    uint64_t start_ns = cpu_time_ns(pid);
    uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
    while (cpu_time_ns(pid) - start_ns < 2 * NS_PER_SECOND && clock_monotonic_ns() < until_ns)
        drain_for(capture, 50, &seen);
    uint64_t used_ns = cpu_time_ns(pid) - start_ns;
    assert_true(used_ns > NS_PER_SECOND);
    double ratio = (double)sampled_ns(&seen) / (double)used_ns;
    print_message("sampled %.3f of the CPU time\n", ratio);
    assert_true(ratio > 0.9 && ratio < 1.1);
    capture_ptrace.close(capture);
    end(pid, progress);
}

/* --- a stack with a known answer ----------------------------------------------------------------
 */

static __attribute__((noinline)) void spin(struct progress *progress, const volatile uint64_t *mark)
{
    for (;;)
        progress->steps[0] += mark[3] & 1;
}

/* Not a leaf function: those keep their variables below the stack pointer. */
static void spin_with_mark(struct progress *progress)
{
    volatile uint64_t mark[16];
    for (int i = 0; i < 16; i++)
        mark[i] = UINT64_C(0x6c70726f66640000) + (uint64_t)i;
    spin(progress, mark);
}

static void the_instruction_pointer_is_that_of_the_thread(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(spin_with_mark, progress);
    while (!progress->steps[0])
        sleep_ms(1);
    struct capture *capture = open_and_enable(pid, 500);
    struct seen seen = {0};
    drain_until(capture, &seen, &seen.samples, 1);
    /* A forked child has the addresses of its parent. */
    uint64_t ip = seen.last.registers.values[architecture_own.ip];
    uint64_t function = (uintptr_t)spin;
    assert_in_range(ip, function, function + 2048);
    capture_ptrace.close(capture);
    end(pid, progress);
}

struct mark_seen {
    unsigned samples, marked;
};

static void look_for_mark(void *user, const struct record *record)
{
    struct mark_seen *seen = user;
    if (record->type != RECORD_SAMPLE)
        return;
    uint64_t marks[2] = {UINT64_C(0x6c70726f66640004), UINT64_C(0x6c70726f66640005)};
    seen->samples++;
    seen->marked +=
        memmem(record->sample.stack, record->sample.stack_bytes, marks, sizeof marks) != NULL;
}

static void the_stack_copy_begins_at_the_stack_pointer(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(spin_with_mark, progress);
    while (!progress->steps[0])
        sleep_ms(1);
    struct capture *capture = open_and_enable(pid, 500);
    struct mark_seen seen = {0};
    uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
    while (seen.samples < 20 && clock_monotonic_ns() < until_ns) {
        capture_ptrace.wait(capture, 5 * NS_PER_MS);
        capture_ptrace.drain(capture, false, look_for_mark, &seen);
    }
    assert_true(seen.samples >= 20);
    assert_int_equal(seen.marked, seen.samples);
    capture_ptrace.close(capture);
    end(pid, progress);
}

/* --- threads that sleep -------------------------------------------------------------------------
 */

static void wait_in_system_calls(struct progress *progress)
{
    int queue = epoll_create1(0);
    struct epoll_event event;
    progress->tids[0] = gettid();
    while (!progress->go)
        if (epoll_wait(queue, &event, 1, 50) < 0)
            progress->interrupted_calls++;
        else
            progress->steps[0]++;
    progress->done = 1;
    pause();
}

static void sleeping_threads_are_left_alone(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(wait_in_system_calls, progress);
    while (progress->steps[0] == 0)
        sleep_ms(1);
    struct capture *capture = open_and_enable(pid, 997);
    struct seen seen = {0};
    unsigned long slept = progress->steps[0];
    for (int i = 0; i < 100 && progress->steps[0] < slept + 12; i++)
        drain_for(capture, 100, &seen);
    unsigned interrupted_calls = progress->interrupted_calls;
    capture_ptrace.close(capture);
    assert_true(progress->steps[0] >= slept + 12);
    /* Some 600 ticks found it asleep. One that sees it awake may stop it just after it fell asleep
     * again, and epoll_wait() is then interrupted: rare, and never excluded (signal(7)). */
    assert_in_range(interrupted_calls, 0, 30);
    end(pid, progress);
}

int main(void)
{
    if (UNDER_TSAN)
        return not_under_tsan();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_busy_thread_is_sampled_and_makes_progress),
        cmocka_unit_test(samples_stand_for_cpu_time_not_for_waiting),
        cmocka_unit_test(the_instruction_pointer_is_that_of_the_thread),
        cmocka_unit_test(the_stack_copy_begins_at_the_stack_pointer),
        cmocka_unit_test(sleeping_threads_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
