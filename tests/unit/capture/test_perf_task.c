/* The backend perf-task on real processes: each task counts once, whatever it inherited. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/capture.h"

#define FREQUENCY_HZ 997
#define WORK_NS (400 * NS_PER_MS)

enum { CHILD, GRANDCHILD, WORKERS };

/* Shared with the target, which goes on to the next step whenever it is told. */
struct target {
    _Atomic int step;
    struct {
        _Atomic pid_t tid;
        _Atomic uint64_t cpu_ns; /* once it is done */
    } workers[WORKERS];
};

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void await_step(const struct target *target, int step)
{
    while (target->step < step)
        sleep_ms(1);
}

static uint64_t thread_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static void work(struct target *target, int number)
{
    target->workers[number].tid = gettid();
    while (thread_cpu_ns() < WORK_NS)
        ;
    target->workers[number].cpu_ns = thread_cpu_ns();
}

static void run_child(struct target *target)
{
    target->workers[CHILD].tid = gettid();
    await_step(target, 2);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        work(target, GRANDCHILD);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    work(target, CHILD);
}

static void run_target(struct target *target)
{
    await_step(target, 1);
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_child(target);
    }
    for (;;)
        pause();
}

static pid_t start_target(struct target **ret_target)
{
    struct target *target =
        mmap(NULL, sizeof *target, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(target != MAP_FAILED);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_target(target);
    }
    *ret_target = target;
    return pid;
}

static struct capture *open_capture(pid_t pid)
{
    const struct capture_options options = {
        .pid = pid,
        .frequency_hz = FREQUENCY_HZ,
        .stack_bytes = 1024,
        .follow = true,
        .event = "auto",
    };
    struct failure failure = {0};
    struct capture *capture = NULL;
    int error = capture_perf_task.open(&options, &capture, &failure);
    if (error) {
        print_message("%s\n", failure.text);
        if (error == -EPERM || error == -EACCES || error == -ENOSYS)
            skip();
    }
    assert_int_equal(error, 0);
    return capture;
}

struct seen {
    const struct target *target;
    uint64_t weight_ns[WORKERS];
};

static void see(void *user, const struct record *record)
{
    struct seen *seen = user;
    for (int i = 0; i < WORKERS && record->type == RECORD_SAMPLE; i++)
        if (record->tid == seen->target->workers[i].tid)
            seen->weight_ns[i] += record->sample.weight_ns;
}

/* The child began after its parent's events were opened, and then is found as one that runs. */
static void what_has_inherited_an_event_counts_once_and_so_does_what_it_creates(void **state)
{
    (void)state;
    struct target *target;
    pid_t pid = start_target(&target);
    struct capture *capture = open_capture(pid);
    struct seen seen = {.target = target};
    target->step = 1;
    while (!target->workers[CHILD].tid)
        sleep_ms(1);
    assert_int_equal(capture_perf_task.add_running(capture, target->workers[CHILD].tid), 0);
    assert_int_equal(capture_perf_task.set_enabled(capture, true), 0);
    target->step = 2;
    while (!target->workers[CHILD].cpu_ns) {
        assert_int_equal(capture_perf_task.wait(capture, 20 * NS_PER_MS), 0);
        assert_int_equal(capture_perf_task.drain(capture, false, see, &seen), 0);
    }
    assert_int_equal(capture_perf_task.set_enabled(capture, false), 0);
    assert_int_equal(capture_perf_task.drain(capture, true, see, &seen), 0);
    capture_perf_task.close(capture);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);

    for (int i = 0; i < WORKERS; i++) {
        double used_ns = (double)target->workers[i].cpu_ns, counted_ns = (double)seen.weight_ns[i];
        print_message("%.0f ms were used, %.0f ms counted\n", used_ns / 1e6, counted_ns / 1e6);
        assert_true(counted_ns < 1.2 * used_ns && counted_ns > 0.5 * used_ns);
    }
    munmap(target, sizeof *target);
}

/* As many pages as a fork needs some milliseconds to copy the table of. */
#define LARGE_BYTES ((size_t)512 << 20)
#define TRIES_MAX 40

/* Shared with a target whose fork takes long. */
struct forking {
    _Atomic bool may_end;
    _Atomic pid_t child;
    _Atomic uint64_t forking_ns, forked_ns, cpu_ns;
};

static void run_forking_target(struct forking *forking)
{
    char *large =
        mmap(NULL, LARGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (large == MAP_FAILED || madvise(large, LARGE_BYTES, MADV_NOHUGEPAGE) < 0)
        _exit(1);
    for (size_t at = 0; at < LARGE_BYTES; at += 4096)
        large[at] = 1;
    forking->forking_ns = clock_monotonic_ns();
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        forking->child = getpid();
        forking->forked_ns = clock_monotonic_ns();
        while (thread_cpu_ns() < WORK_NS / 4)
            ;
        forking->cpu_ns = thread_cpu_ns();
        while (!forking->may_end)
            sleep_ms(1);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    _exit(0);
}

static void see_child(void *user, const struct record *record)
{
    struct {
        const struct forking *forking;
        uint64_t weight_ns;
    } *seen = user;
    if (record->type == RECORD_SAMPLE && record->tid == seen->forking->child)
        seen->weight_ns += record->sample.weight_ns;
}

/* Returns whether the fork was under way all the time while events were opened. */
static bool try_to_attach_while_forking(void)
{
    struct forking *forking =
        mmap(NULL, sizeof *forking, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(forking != MAP_FAILED);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_forking_target(forking);
    }
    struct {
        const struct forking *forking;
        uint64_t weight_ns;
    } seen = {.forking = forking};
    while (!forking->forking_ns)
        ;
    sleep_ms(1); /* it has copied the events by then, but not the pages */
    uint64_t attaching_ns = clock_monotonic_ns();
    struct capture *capture = open_capture(pid);
    assert_int_equal(capture_perf_task.set_enabled(capture, true), 0);
    uint64_t attached_ns = clock_monotonic_ns();
    while (!forking->cpu_ns) {
        assert_int_equal(capture_perf_task.wait(capture, 2 * NS_PER_MS), 0);
        assert_int_equal(capture_perf_task.drain(capture, false, see_child, &seen), 0);
    }
    assert_int_equal(capture_perf_task.set_enabled(capture, false), 0);
    assert_int_equal(capture_perf_task.drain(capture, true, see_child, &seen), 0);
    capture_perf_task.close(capture);
    forking->may_end = true;
    assert_int_equal(waitpid(pid, NULL, 0), pid);

    bool was_under_way = forking->forking_ns < attaching_ns && attached_ns < forking->forked_ns;
    if (was_under_way) {
        double used_ns = (double)forking->cpu_ns, counted_ns = (double)seen.weight_ns;
        print_message("%.0f ms were used, %.0f ms counted\n", used_ns / 1e6, counted_ns / 1e6);
        assert_true(counted_ns < 1.2 * used_ns && counted_ns > 0.5 * used_ns);
    }
    munmap(forking, sizeof *forking);
    return was_under_way;
}

static void a_child_whose_fork_is_under_way_meanwhile_is_sampled(void **state)
{
    (void)state;
    int tries = 0;
    while (!try_to_attach_while_forking())
        assert_true(++tries < TRIES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_inherited_an_event_counts_once_and_so_does_what_it_creates),
        cmocka_unit_test(a_child_whose_fork_is_under_way_meanwhile_is_sampled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
