/* Real processes to trace, and what the ptrace backend's records say of them. */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/capture.h"
#include "lprofd/architecture.h"

#define STACK_BYTES 4096
#define THREADS_MAX 64
/* For what must happen at once: on a machine with much else to do that takes a while. */
#define PATIENCE_NS (60 * NS_PER_SECOND)

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

static inline int not_under_tsan(void)
{
    printf("skipped: children with threads cannot run under ThreadSanitizer\n");
    return 0;
}

/* --- the target --------------------------------------------------------------------------------
 */

/* Shared with the child. */
struct progress {
    _Atomic unsigned long steps[8];
    _Atomic unsigned signals, interrupted_calls, go, done;
    _Atomic uint64_t cpu_ns;
    _Atomic pid_t tids[8];
};

static inline struct progress *progress_new(void)
{
    struct progress *progress =
        mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(progress != MAP_FAILED);
    return progress;
}

static inline void sleep_ms(unsigned ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

static inline bool makes_progress(const struct progress *progress, int number)
{
    unsigned long before = progress->steps[number];
    uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
    while (progress->steps[number] <= before + 10 && clock_monotonic_ns() < until_ns)
        sleep_ms(5);
    return progress->steps[number] > before + 10;
}

static inline pid_t start(void (*body)(struct progress *), struct progress *progress)
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

static inline void end(pid_t pid, struct progress *progress)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    munmap(progress, sizeof *progress);
}

struct worker {
    struct progress *progress;
    int number;
};

static inline void *work(void *user)
{
    const struct worker *worker = user;
    worker->progress->tids[worker->number] = gettid();
    for (;;)
        worker->progress->steps[worker->number]++;
    return NULL;
}

static inline void run_four_threads(struct progress *progress)
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

static inline pid_t start_four_threads(struct progress *progress)
{
    pid_t pid = start(run_four_threads, progress);
    while (!progress->tids[3] || !progress->tids[0] || !progress->tids[1] || !progress->tids[2])
        sleep_ms(1);
    return pid;
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
    char mapped[16384]; /* what RECORD_MAPS said last */
};

static inline struct thread_seen *seen_thread(struct seen *seen, pid_t tid)
{
    for (size_t i = 0; i < seen->thread_count; i++)
        if (seen->threads[i].tid == tid)
            return &seen->threads[i];
    assert_true(seen->thread_count < THREADS_MAX);
    seen->threads[seen->thread_count].tid = tid;
    return &seen->threads[seen->thread_count++];
}

static inline void see_sample(struct seen *seen, struct thread_seen *thread,
                              const struct sample *sample)
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

static inline void see(void *user, const struct record *record)
{
    struct seen *seen = user;
    seen->bad += record->time_ns < seen->last_ns;
    seen->last_ns = record->time_ns;
    struct thread_seen *thread = seen_thread(seen, record->tid);
    if (record->type == RECORD_SAMPLE)
        see_sample(seen, thread, &record->sample);
    else if (record->type == RECORD_FORK)
        thread->forks += record->fork.parent_pid == record->pid;
    else if (record->type == RECORD_EXIT)
        thread->exits++;
    if (record->type == RECORD_MAPS) {
        seen->maps++;
        snprintf(seen->mapped, sizeof seen->mapped, "%s", record->maps);
    }
    if (record->type == RECORD_COMM) {
        seen->execs += record->comm.is_exec;
        snprintf(thread->name, sizeof thread->name, "%s", record->comm.name);
    }
}

static inline struct capture *open_capture(pid_t pid, uint32_t frequency_hz)
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

static inline struct capture *open_and_enable(pid_t pid, uint32_t frequency_hz)
{
    struct capture *capture = open_capture(pid, frequency_hz);
    assert_int_equal(capture_ptrace.set_enabled(capture, true), 0);
    return capture;
}

static inline void drain_for(struct capture *capture, unsigned ms, struct seen *seen)
{
    uint64_t until_ns = clock_monotonic_ns() + ms * NS_PER_MS;
    while (clock_monotonic_ns() < until_ns) {
        assert_int_equal(capture_ptrace.wait(capture, 20 * NS_PER_MS), 0);
        assert_int_equal(capture_ptrace.drain(capture, false, see, seen), 0);
    }
}

/* Drains until `unsigned *count` is that much, which must happen. */
static inline void drain_until(struct capture *capture, struct seen *seen, const unsigned *count,
                               unsigned wanted)
{
    uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
    while (*count < wanted && clock_monotonic_ns() < until_ns)
        drain_for(capture, 1, seen);
    assert_true(*count >= wanted);
}
