/* The ptrace backend on real processes: signals, stops and the end of the tracer change nothing. */
#include <fcntl.h>
#include <sched.h>

#include "capture/ptrace_refusal.h"
#include "ptrace_target.h"

static struct progress *signal_progress;

static void count_signal(int signal)
{
    (void)signal;
    signal_progress->signals++;
}

static void count_signals(struct progress *progress)
{
    signal_progress = progress;
    signal(SIGUSR1, count_signal);
    progress->tids[0] = gettid();
    for (;;)
        progress->steps[0]++;
}

static pid_t start_counting(struct progress *progress)
{
    pid_t pid = start(count_signals, progress);
    while (!progress->tids[0])
        sleep_ms(1);
    return pid;
}

static void every_signal_arrives_and_at_once(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start_counting(progress);
    struct capture *capture = open_and_enable(pid, 997);
    /* Nothing is drained meanwhile: the target must not wait for that. */
    uint64_t start_ns = clock_monotonic_ns();
    for (unsigned i = 1; i <= 500; i++) {
        kill(pid, SIGUSR1);
        while (progress->signals < i && clock_monotonic_ns() - start_ns < PATIENCE_NS)
            sched_yield();
    }
    assert_int_equal(progress->signals, 500);
    capture_ptrace.close(capture);
    end(pid, progress);
}

static char state_of(pid_t pid)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    return strrchr(text, ')')[2];
}

static bool is_stopped_at_last(pid_t pid)
{
    uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
    while (state_of(pid) != 'T' && clock_monotonic_ns() < until_ns)
        sleep_ms(2);
    return state_of(pid) == 'T';
}

/* A sample stops the thread too, for a moment; one that is stopped for good stays where it is. */
static bool comes_to_rest(pid_t pid, struct capture *capture, const struct progress *progress,
                          struct seen *seen)
{
    for (int i = 0; i < 100; i++) {
        unsigned long steps = progress->steps[0];
        unsigned samples = seen->samples;
        drain_for(capture, 200, seen);
        if (strchr("tT", state_of(pid)) && progress->steps[0] == steps && seen->samples == samples)
            return true;
    }
    return false;
}

static void job_control_works_as_without_a_tracer(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start_counting(progress);
    struct capture *capture = open_and_enable(pid, 500);
    struct seen seen = {0};
    drain_until(capture, &seen, &seen.samples, 3);

    kill(pid, SIGSTOP);
    assert_true(comes_to_rest(pid, capture, progress, &seen));
    kill(pid, SIGCONT);
    assert_true(makes_progress(progress, 0));
    drain_until(capture, &seen, &seen.samples, seen.samples + 4);

    kill(pid, SIGSTOP); /* and it stays stopped when lprofd leaves */
    assert_true(comes_to_rest(pid, capture, progress, &seen));
    capture_ptrace.close(capture);
    assert_true(is_stopped_at_last(pid));
    unsigned long steps = progress->steps[0];
    sleep_ms(50);
    assert_int_equal(progress->steps[0], steps);
    kill(pid, SIGCONT);
    assert_true(makes_progress(progress, 0));
    end(pid, progress);
}

static void a_stopped_process_can_be_attached_to(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start_counting(progress);
    kill(pid, SIGSTOP);
    assert_true(is_stopped_at_last(pid));
    struct capture *capture = open_and_enable(pid, 500);
    struct seen seen = {0};
    unsigned long steps = progress->steps[0];
    drain_for(capture, 100, &seen);
    assert_int_equal(progress->steps[0], steps);
    assert_int_equal(seen.samples, 0);
    kill(pid, SIGCONT);
    assert_true(makes_progress(progress, 0));
    drain_until(capture, &seen, &seen.samples, 4);
    capture_ptrace.close(capture);
    end(pid, progress);
}

/* --- the end of lprofd ---------------------------------------------------------------------------
 */

static void the_target_survives_kill_9_of_its_tracer(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start_four_threads(progress);
    pid_t profiler = fork();
    if (profiler == 0) {
        struct capture *capture = open_and_enable(pid, 2000);
        struct seen seen = {0};
        drain_for(capture, 100000, &seen);
        _exit(0);
    }
    for (int i = 0; i < 10000 && ptrace_tracer_of(pid, 0) == 0; i++)
        sleep_ms(2);
    assert_true(ptrace_tracer_of(pid, 0) > 0);
    sleep_ms(200);
    kill(profiler, SIGKILL);
    assert_int_equal(waitpid(profiler, NULL, 0), profiler);
    sleep_ms(50);
    assert_int_equal(ptrace_tracer_of(pid, 0), 0);
    for (int i = 0; i < 4; i++)
        assert_true(makes_progress(progress, i));
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    end(pid, progress);
}

static void it_can_be_closed_and_opened_again_at_once(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(run_four_threads, progress);
    for (int i = 0; i < 20; i++)
        capture_ptrace.close(open_capture(pid, 997));
    capture_ptrace.close(NULL);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    end(pid, progress);
}

/* --- refusals ------------------------------------------------------------------------------------
 */

static int open_error(pid_t pid, const char *event, struct failure *ret_failure)
{
    struct capture_options options = {
        .pid = pid, .frequency_hz = 100, .stack_bytes = STACK_BYTES, .event = event};
    struct capture *capture = NULL;
    int error = capture_ptrace.open(&options, &capture, ret_failure);
    assert_null(capture);
    return error;
}

static void a_refusal_says_why(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(count_signals, progress);
    struct failure failure = {0};
    assert_int_equal(open_error(pid, "cycles", &failure), -ENOTSUP);
    assert_non_null(strstr(failure.text, "cycles"));
    assert_int_equal(open_error(0x7ffffff0, "auto", &failure), -ESRCH);
    assert_non_null(strstr(failure.text, "no process 2147483632"));
    assert_int_equal(open_error(getpid(), "auto", &failure), -EPERM);
    assert_non_null(strstr(failure.text, "lprofd itself"));

    struct capture *first = open_capture(pid, 100);
    assert_int_equal(open_error(pid, "auto", &failure), -EPERM);
    assert_non_null(strstr(failure.text, "traces it already"));
    assert_int_equal(failure_exit_code(&failure), EXIT_NOT_PERMITTED);
    capture_ptrace.close(first);

    kill(pid, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(open_error(pid, "auto", &failure), -ESRCH); /* a zombie */
    assert_non_null(strstr(failure.text, "has ended"));
    end(pid, progress);
}

int main(void)
{
    if (UNDER_TSAN)
        return not_under_tsan();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_signal_arrives_and_at_once),
        cmocka_unit_test(job_control_works_as_without_a_tracer),
        cmocka_unit_test(a_stopped_process_can_be_attached_to),
        cmocka_unit_test(the_target_survives_kill_9_of_its_tracer),
        cmocka_unit_test(it_can_be_closed_and_opened_again_at_once),
        cmocka_unit_test(a_refusal_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
