/* The ptrace backend on real processes: threads that come and go, and a program that is replaced.
 */
#include "ptrace_target.h"

#include <limits.h>
#include <sys/resource.h>

#define SHORT_LIFE_NS (150 * NS_PER_MS) /* of CPU time: on a busy machine it takes longer */

static uint64_t own_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static void *finish_soon(void *user)
{
    struct progress *progress = user;
    prctl(PR_SET_NAME, "short lived");
    progress->tids[1] = gettid();
    while (own_cpu_ns() < SHORT_LIFE_NS)
        for (int i = 0; i < 1000; i++)
            progress->steps[1]++;
    progress->cpu_ns = own_cpu_ns();
    return NULL;
}

static void start_a_thread_later(struct progress *progress)
{
    while (!progress->go)
        sleep_ms(1);
    pthread_t thread;
    pthread_create(&thread, NULL, finish_soon, progress);
    pthread_join(thread, NULL);
}

/*
 * Samples stand for the CPU time up to the last of them, to half a period. What follows it is
 * missed: as a rule less than two periods, more where the tracer itself has to wait for a CPU.
 */
static void check_samples(const struct thread_seen *thread, uint64_t cpu_ns, uint64_t period_ns)
{
    print_message("%u samples stand for %.1f of %.1f ms\n", thread->samples,
                  (double)thread->weight_ns / 1e6, (double)cpu_ns / 1e6);
    assert_in_range(thread->samples, 3, thread->weight_ns / period_ns);
    assert_in_range(thread->weight_ns, cpu_ns / 2, cpu_ns + 5 * period_ns);
}

static void threads_are_followed_from_birth_to_death(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(start_a_thread_later, progress);
    struct capture *capture = open_and_enable(pid, 500);
    struct seen seen = {0};
    drain_for(capture, 30, &seen);
    progress->go = 1;
    drain_until(capture, &seen, &seen_thread(&seen, pid)->exits, 1); /* its end is the last one */
    struct thread_seen *later = seen_thread(&seen, progress->tids[1]);
    assert_int_equal(later->forks, 1);
    assert_int_equal(later->exits, 1);
    assert_string_equal(later->name, "short lived");
    check_samples(later, progress->cpu_ns, capture->period_ns);
    assert_int_equal(seen.bad, 0);
    capture_ptrace.close(capture);
    /* Its parent still gets the exit status. */
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    munmap(progress, sizeof *progress);
}

#define SLEEPERS 40
#define DESCRIPTORS 48 /* fewer than two for each thread */

static void *sleep_on(void *user)
{
    for (;;)
        pause();
    return user;
}

static void start_one_more_thread_later(struct progress *progress)
{
    for (int i = 0; i < SLEEPERS; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, sleep_on, NULL);
    }
    progress->done = 1;
    start_a_thread_later(progress);
}

static void set_descriptor_limit(rlim_t count)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = count;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* How many more can be opened. */
static int free_descriptors(void)
{
    int fds[DESCRIPTORS], count = 0;
    while (count < DESCRIPTORS && (fds[count] = dup(STDOUT_FILENO)) >= 0)
        count++;
    for (int i = 0; i < count; i++)
        close(fds[i]);
    return count;
}

static void more_threads_than_descriptors_are_sampled_and_leave_some(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    struct rlimit usual;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    pid_t pid = start(start_one_more_thread_later, progress);
    while (!progress->done)
        sleep_ms(1);
    set_descriptor_limit(DESCRIPTORS);
    struct capture *capture = open_and_enable(pid, 500);
    assert_in_range(free_descriptors(), DESCRIPTORS / 2 - 4, DESCRIPTORS);
    struct seen seen = {0};
    drain_for(capture, 30, &seen);
    progress->go = 1;
    drain_until(capture, &seen, &seen_thread(&seen, pid)->exits, 1);
    struct thread_seen *later = seen_thread(&seen, progress->tids[1]);
    assert_int_equal(later->forks, 1);
    check_samples(later, progress->cpu_ns, capture->period_ns);
    capture_ptrace.close(capture);
    set_descriptor_limit(usual.rlim_cur);
    end(pid, progress);
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
    pause();
}

static void a_new_image_is_reported_and_sampled(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(exec_from_a_thread, progress);
    struct capture *capture = open_and_enable(pid, 500);
    progress->go = 1;
    struct seen seen = {0};
    drain_until(capture, &seen, &seen.execs, 1);
    struct thread_seen *leader = seen_thread(&seen, pid);
    drain_until(capture, &seen, &leader->samples, leader->samples + 5);
    assert_int_equal(seen.execs, 1);
    assert_string_equal(leader->name, "sh");
    char shell[PATH_MAX];
    assert_non_null(realpath("/bin/sh", shell));
    assert_non_null(strstr(seen.mapped, shell)); /* told before the first sample of it */
    for (size_t i = 0; i < seen.thread_count; i++)
        if (seen.threads[i].tid != pid)
            assert_true(seen.threads[i].exits >= 1);
    capture_ptrace.close(capture);
    end(pid, progress);
}

int main(void)
{
    if (UNDER_TSAN)
        return not_under_tsan();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_are_followed_from_birth_to_death),
        cmocka_unit_test(more_threads_than_descriptors_are_sampled_and_leave_some),
        cmocka_unit_test(a_new_image_is_reported_and_sampled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
