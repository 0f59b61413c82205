/* The ptrace backend on real processes: it samples what runs and disturbs nothing. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/capture.h"
#include "capture/ptrace_refusal.h"
#include "lprofd/architecture.h"
#include "lprofd/privilege.h"

#define STACK_BYTES 4096
#define THREADS_MAX 64

/* Shared with the child. */
struct progress {
    _Atomic unsigned long steps[8];
    _Atomic unsigned signals, interrupted_calls, go, done;
    _Atomic pid_t tids[8];
};

static struct progress *progress_new(void)
{
    struct progress *progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(progress != MAP_FAILED);
    return progress;
}

static void sleep_ms(unsigned ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

/* On a machine with much else to do a thread may have to wait for its turn. */
static bool makes_progress(const struct progress *progress, int number)
{
    unsigned long before = progress->steps[number];
    for (int i = 0; i < 2000; i++, sleep_ms(5))
        if (progress->steps[number] > before + 10)
            return true;
    return false;
}

static pid_t start(void (*body)(struct progress *), struct progress *progress)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body(progress);
        _exit(7);
    }
    return pid;
}

static void end(pid_t pid, struct progress *progress)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    munmap(progress, sizeof *progress);
}

/* --- what the records say ----------------------------------------------------------------------
 */

struct thread_seen {
    pid_t tid;
    unsigned samples, forks, exits;
    uint64_t weight_ns;
    char name[64];
};

struct seen {
    struct thread_seen threads[THREADS_MAX];
    size_t thread_count;
    unsigned samples, execs, maps, bad;
    uint64_t last_ns;
    struct sample last;
};

static struct thread_seen *seen_thread(struct seen *seen, pid_t tid)
{
    for (size_t i = 0; i < seen->thread_count; i++)
        if (seen->threads[i].tid == tid)
            return &seen->threads[i];
    assert_true(seen->thread_count < THREADS_MAX);
    seen->threads[seen->thread_count].tid = tid;
    return &seen->threads[seen->thread_count++];
}

static void see_sample(struct seen *seen, struct thread_seen *thread, const struct sample *sample)
{
    thread->samples++;
    thread->weight_ns += sample->weight_ns;
    seen->samples++;
    seen->last = *sample;
    bool good = sample->has_user && sample->stack_bytes > 0 && sample->stack_bytes <= STACK_BYTES &&
                sample->stack_cut == (sample->stack_bytes == STACK_BYTES) && !sample->in_kernel &&
                registers_have(&sample->registers, architecture_own.ip) &&
                registers_have(&sample->registers, architecture_own.sp) &&
                registers_have(&sample->registers, architecture_own.fp) &&
                sample->registers.values[architecture_own.ip] != 0;
    seen->bad += !good;
}

static void see(void *user, const struct record *record)
{
    struct seen *seen = user;
    seen->bad += record->time_ns < seen->last_ns;
    seen->last_ns = record->time_ns;
    struct thread_seen *thread = seen_thread(seen, record->tid);
    if (record->type == RECORD_SAMPLE)
        see_sample(seen, thread, &record->sample);
    else if (record->type == RECORD_FORK)
        thread->forks += record->parent_pid == record->pid;
    else if (record->type == RECORD_EXIT)
        thread->exits++;
    else if (record->type == RECORD_MAPS_STALE)
        seen->maps++;
    if (record->type == RECORD_COMM) {
        seen->execs += record->comm.is_exec;
        snprintf(thread->name, sizeof thread->name, "%s", record->comm.name);
    }
}

static struct capture *open_capture(pid_t pid, uint32_t frequency_hz)
{
    struct capture_options options = {
        .pid = pid,
        .frequency_hz = frequency_hz,
        .stack_bytes = STACK_BYTES,
        .event = "auto",
    };
    struct failure failure = {0};
    struct capture *capture = NULL;
    int error = capture_ptrace.open(&options, &capture, &failure);
    if (error) {
        print_message("%s\n", failure.text);
        if (error == -EPERM && geteuid() != 0)
            skip();
    }
    assert_int_equal(error, 0);
    assert_string_equal(capture->event, "ptrace-clock");
    assert_int_equal(capture->period_ns, NS_PER_SECOND / frequency_hz);
    assert_false(capture->reports_mappings);
    return capture;
}

static void drain_for(struct capture *capture, unsigned ms, struct seen *seen)
{
    uint64_t until_ns = clock_monotonic_ns() + ms * NS_PER_MS;
    while (clock_monotonic_ns() < until_ns) {
        assert_int_equal(capture_ptrace.wait(capture, 20 * NS_PER_MS), 0);
        assert_int_equal(capture_ptrace.drain(capture, false, see, seen), 0);
    }
}

/* --- busy threads ------------------------------------------------------------------------------
 */

struct worker {
    struct progress *progress;
    int number;
};

static void *work(void *user)
{
    const struct worker *worker = user;
    worker->progress->tids[worker->number] = gettid();
    for (;;)
        worker->progress->steps[worker->number]++;
    return NULL;
}

static void run_four_threads(struct progress *progress)
{
    static struct worker workers[4];
    for (int i = 0; i < 4; i++) {
        workers[i] = (struct worker){progress, i};
        pthread_t thread;
        if (i == 3)
            work(&workers[i]);
        pthread_create(&thread, NULL, work, &workers[i]);
    }
}

static void each_busy_thread_is_sampled_and_makes_progress(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(run_four_threads, progress);
    while (!progress->tids[3] || !progress->tids[0] || !progress->tids[1] || !progress->tids[2])
        sleep_ms(1);
    struct capture *capture = open_capture(pid, 200);
    struct seen seen = {0};
    drain_for(capture, 100, &seen);
    assert_int_equal(seen.samples, 0); /* a capture starts disabled */
    assert_int_equal(capture_ptrace.set_enabled(capture, true), 0);
    drain_for(capture, 1500, &seen);
    for (int i = 0; i < 4; i++) {
        struct thread_seen *thread = seen_thread(&seen, progress->tids[i]);
        assert_in_range(thread->samples, 5, 320);
        assert_int_equal(thread->weight_ns % capture->period_ns, 0);
        assert_true(makes_progress(progress, i));
    }
    assert_int_equal(seen.bad, 0);
    assert_in_range(seen.maps, 1, 4);

    assert_int_equal(capture_ptrace.set_enabled(capture, false), 0);
    drain_for(capture, 60, &seen);
    unsigned samples = seen.samples;
    drain_for(capture, 100, &seen);
    assert_int_equal(seen.samples, samples);

    capture_ptrace.close(capture);
    assert_int_equal(ptrace_tracer_of(pid, 0), 0);
    for (int i = 0; i < 4; i++)
        assert_true(makes_progress(progress, i));
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    end(pid, progress);
}

/* Four threads wait for one CPU: each is runnable all the time and runs a quarter of it. */
static void samples_stand_for_cpu_time_not_for_waiting(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    cpu_set_t before, first;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&first);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&first) == 0; cpu++)
        if (CPU_ISSET(cpu, &before))
            CPU_SET(cpu, &first);
    assert_int_equal(sched_setaffinity(0, sizeof first, &first), 0);
    pid_t pid = start(run_four_threads, progress);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    while (!progress->tids[3] || !progress->tids[0] || !progress->tids[1] || !progress->tids[2])
        sleep_ms(1);
    struct capture *capture = open_capture(pid, 500);
    assert_int_equal(capture_ptrace.set_enabled(capture, true), 0);
    struct seen seen = {0};
    drain_for(capture, 100, &seen);
    memset(&seen, 0, sizeof seen);
    uint64_t start_ns, end_ns;
    assert_int_equal(privilege_read_cpu_time(pid, &start_ns), 0);
    drain_for(capture, 2000, &seen);
    assert_int_equal(privilege_read_cpu_time(pid, &end_ns), 0);
    uint64_t sampled_ns = 0;
    for (size_t i = 0; i < seen.thread_count; i++)
        sampled_ns += seen.threads[i].weight_ns;
    double ratio = (double)sampled_ns / (double)(end_ns - start_ns);
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
    struct capture *capture = open_capture(pid, 500);
    assert_int_equal(capture_ptrace.set_enabled(capture, true), 0);
    struct seen seen = {0};
    while (seen.samples == 0) {
        capture_ptrace.wait(capture, NS_PER_MS);
        capture_ptrace.drain(capture, false, see, &seen);
    }
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
    struct capture *capture = open_capture(pid, 500);
    assert_int_equal(capture_ptrace.set_enabled(capture, true), 0);
    struct mark_seen seen = {0};
    for (int i = 0; i < 1000 && seen.samples < 20; i++) {
        capture_ptrace.wait(capture, 5 * NS_PER_MS);
        capture_ptrace.drain(capture, false, look_for_mark, &seen);
    }
    assert_true(seen.samples >= 20);
    assert_int_equal(seen.marked, seen.samples);
    capture_ptrace.close(capture);
    end(pid, progress);
}

/* --- threads that come and go -------------------------------------------------------------------
 */

static void *finish_soon(void *user)
{
    struct progress *progress = user;
    prctl(PR_SET_NAME, "short lived");
    progress->tids[1] = gettid();
    uint64_t until_ns = clock_monotonic_ns() + 150 * NS_PER_MS;
    while (clock_monotonic_ns() < until_ns)
        progress->steps[1]++;
    return NULL;
}

static void start_a_thread_later(struct progress *progress)
{
    while (!progress->go)
        sleep_ms(1);
    pthread_t thread;
    pthread_create(&thread, NULL, finish_soon, progress);
    pthread_join(thread, NULL);
    progress->done = 1;
    sleep_ms(100);
}

static void threads_are_followed_from_birth_to_death(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(start_a_thread_later, progress);
    struct capture *capture = open_capture(pid, 500);
    assert_int_equal(capture_ptrace.set_enabled(capture, true), 0);
    struct seen seen = {0};
    drain_for(capture, 30, &seen);
    progress->go = 1;
    drain_for(capture, 600, &seen);
    assert_int_equal(progress->done, 1);
    struct thread_seen *later = seen_thread(&seen, progress->tids[1]);
    assert_int_equal(later->forks, 1);
    assert_int_equal(later->exits, 1);
    assert_in_range(later->samples, 3, 90);
    assert_string_equal(later->name, "short lived");
    assert_int_equal(seen_thread(&seen, pid)->exits, 1); /* it has ended too */
    assert_int_equal(seen.bad, 0);
    capture_ptrace.close(capture);
    /* Its parent still gets the exit status. */
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    munmap(progress, sizeof *progress);
}

static void *execute(void *user)
{
    (void)user;
    execl("/bin/sh", "sh", "-c", "while :; do :; done", (char *)NULL);
    _exit(1);
}

static void exec_from_a_thread(struct progress *progress)
{
    while (!progress->go)
        sleep_ms(1);
    pthread_t thread;
    pthread_create(&thread, NULL, execute, NULL);
    sleep_ms(10000);
}

static void a_new_image_is_reported_and_sampled(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(exec_from_a_thread, progress);
    struct capture *capture = open_capture(pid, 500);
    assert_int_equal(capture_ptrace.set_enabled(capture, true), 0);
    progress->go = 1;
    struct seen seen = {0};
    drain_for(capture, 500, &seen);
    assert_int_equal(seen.execs, 1);
    assert_string_equal(seen_thread(&seen, pid)->name, "sh");
    assert_in_range(seen_thread(&seen, pid)->samples, 5, 400);
    assert_true(seen.maps >= 2);
    for (size_t i = 0; i < seen.thread_count; i++)
        if (seen.threads[i].tid != pid)
            assert_true(seen.threads[i].exits >= 1);
    capture_ptrace.close(capture);
    end(pid, progress);
}

/* --- signals -------------------------------------------------------------------------------------
 */

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

static void every_signal_arrives_and_at_once(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(count_signals, progress);
    while (!progress->tids[0])
        sleep_ms(1);
    struct capture *capture = open_capture(pid, 997);
    assert_int_equal(capture_ptrace.set_enabled(capture, true), 0);
    /* Nothing is drained meanwhile: the target must not wait for that. */
    uint64_t start_ns = clock_monotonic_ns();
    for (unsigned i = 1; i <= 500; i++) {
        kill(pid, SIGUSR1);
        while (progress->signals < i && clock_monotonic_ns() - start_ns < 20 * NS_PER_SECOND)
            ;
    }
    assert_int_equal(progress->signals, 500);
    assert_true(clock_monotonic_ns() - start_ns < 10 * NS_PER_SECOND);
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

static bool becomes(pid_t pid, const char *states)
{
    for (int i = 0; i < 500; i++, sleep_ms(2))
        if (strchr(states, state_of(pid)))
            return true;
    return false;
}

static void job_control_works_as_without_a_tracer(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(count_signals, progress);
    while (!progress->tids[0])
        sleep_ms(1);
    struct capture *capture = open_capture(pid, 500);
    assert_int_equal(capture_ptrace.set_enabled(capture, true), 0);
    struct seen seen = {0};
    drain_for(capture, 50, &seen);

    kill(pid, SIGSTOP);
    assert_true(becomes(pid, "tT"));
    sleep_ms(30);
    unsigned long steps = progress->steps[0];
    drain_for(capture, 40, &seen);
    unsigned samples = seen.samples;
    drain_for(capture, 200, &seen);
    assert_int_equal(progress->steps[0], steps); /* stopped is stopped */
    assert_int_equal(seen.samples, samples);

    kill(pid, SIGCONT);
    assert_true(makes_progress(progress, 0));
    drain_for(capture, 200, &seen);
    assert_true(seen.samples > samples + 3);

    kill(pid, SIGSTOP); /* and it stays stopped when lprofd leaves */
    assert_true(becomes(pid, "tT"));
    capture_ptrace.close(capture);
    assert_true(becomes(pid, "T"));
    steps = progress->steps[0];
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
    pid_t pid = start(count_signals, progress);
    while (!progress->tids[0])
        sleep_ms(1);
    kill(pid, SIGSTOP);
    assert_true(becomes(pid, "T"));
    struct capture *capture = open_capture(pid, 500);
    assert_int_equal(capture_ptrace.set_enabled(capture, true), 0);
    struct seen seen = {0};
    unsigned long steps = progress->steps[0];
    drain_for(capture, 100, &seen);
    assert_int_equal(progress->steps[0], steps);
    assert_int_equal(seen.samples, 0);
    kill(pid, SIGCONT);
    assert_true(makes_progress(progress, 0));
    drain_for(capture, 200, &seen);
    assert_true(seen.samples > 3);
    capture_ptrace.close(capture);
    end(pid, progress);
}

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
    struct capture *capture = open_capture(pid, 997);
    assert_int_equal(capture_ptrace.set_enabled(capture, true), 0);
    struct seen seen = {0};
    drain_for(capture, 600, &seen);
    capture_ptrace.close(capture);
    sleep_ms(120);
    /* Some 600 ticks found it asleep. One that sees it awake may stop it just after it fell asleep
     * again, and epoll_wait() is then interrupted: rare, and never excluded (signal(7)). */
    assert_in_range(progress->interrupted_calls, 0, 30);
    assert_true(progress->steps[0] >= 5);
    end(pid, progress);
}

/* --- the end of lprofd ---------------------------------------------------------------------------
 */

static void the_target_survives_kill_9_of_its_tracer(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(run_four_threads, progress);
    while (!progress->tids[3])
        sleep_ms(1);
    pid_t profiler = fork();
    if (profiler == 0) {
        struct capture *capture = open_capture(pid, 2000);
        capture_ptrace.set_enabled(capture, true);
        struct seen seen = {0};
        drain_for(capture, 10000, &seen);
        _exit(0);
    }
    for (int i = 0; i < 1000 && ptrace_tracer_of(pid, 0) == 0; i++)
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

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

int main(void)
{
#ifdef UNDER_TSAN
    printf("skipped: children with threads cannot run under ThreadSanitizer\n");
    return 0;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_busy_thread_is_sampled_and_makes_progress),
        cmocka_unit_test(samples_stand_for_cpu_time_not_for_waiting),
        cmocka_unit_test(the_instruction_pointer_is_that_of_the_thread),
        cmocka_unit_test(the_stack_copy_begins_at_the_stack_pointer),
        cmocka_unit_test(threads_are_followed_from_birth_to_death),
        cmocka_unit_test(a_new_image_is_reported_and_sampled),
        cmocka_unit_test(every_signal_arrives_and_at_once),
        cmocka_unit_test(job_control_works_as_without_a_tracer),
        cmocka_unit_test(a_stopped_process_can_be_attached_to),
        cmocka_unit_test(sleeping_threads_are_left_alone),
        cmocka_unit_test(the_target_survives_kill_9_of_its_tracer),
        cmocka_unit_test(it_can_be_closed_and_opened_again_at_once),
        cmocka_unit_test(a_refusal_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
