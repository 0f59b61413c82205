/*
 * The tracer thread. A tracee that reports a signal stands still until its tracer has answered, so
 * the answers must not wait for the rest of lprofd: hence a thread of its own, which sleeps in
 * waitid() and is woken for each tick by a timer signal. When the thread ends, the kernel lets go
 * of all tracees at once, without stopping any of them; that is also what happens when lprofd is
 * killed.
 */
#include "capture/ptrace_tracer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/ptrace_loop.h"
#include "capture/ptrace_refusal.h"
#include "capture/ptrace_seize.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

struct ptrace_tracer {
    struct ptrace_loop loop;
    const struct cancel *cancel; /* borrowed; of the start */
    unsigned char *stack;        /* owned */
    pthread_t thread;
    int wake_signal;
    timer_t timer;
    /* From the new thread to its starter, under `lock`. */
    pthread_mutex_t lock;
    pthread_cond_t started;
    bool has_started;
    int start_error;
    pid_t tid;
};

static void on_wake(int signal)
{
    (void)signal; /* only there to make waitpid() return */
}

/* A real-time signal that nobody else uses; all tracers share it. */
static int claim_signal(int *ret_signal)
{
    for (int signal = SIGRTMAX; signal >= SIGRTMIN; signal--) {
        struct sigaction action;
        if (sigaction(signal, NULL, &action) < 0)
            continue;
        if (action.sa_handler != SIG_DFL && action.sa_handler != on_wake)
            continue;
        struct sigaction ours = {.sa_handler = on_wake};
        if (sigaction(signal, &ours, NULL) < 0)
            continue;
        *ret_signal = signal;
        return 0;
    }
    return -EAGAIN;
}

static int create_timer(struct ptrace_tracer *tracer)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = tracer->wake_signal};
    event.sigev_notify_thread_id = tracer->tid;
    if (timer_create(CLOCK_MONOTONIC, &event, &tracer->timer) < 0)
        return -errno;
    tracer->loop.timer = tracer->timer;
    tracer->loop.next_tick_ns = clock_monotonic_ns();
    tracer->loop.random = tracer->loop.next_tick_ns;
    int error = ptrace_loop_set_timer(&tracer->loop);
    if (error)
        timer_delete(tracer->timer);
    return error;
}

static void report_start(struct ptrace_tracer *tracer, int error)
{
    pthread_mutex_lock(&tracer->lock);
    tracer->start_error = error;
    tracer->has_started = true;
    pthread_cond_signal(&tracer->started);
    pthread_mutex_unlock(&tracer->lock);
}

static void *tracer_main(void *user)
{
    struct ptrace_tracer *tracer = user;
    sigset_t wake;
    sigemptyset(&wake);
    sigaddset(&wake, tracer->wake_signal);
    pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
    tracer->tid = gettid();
    int error = create_timer(tracer);
    if (!error) {
        error = ptrace_seize(&tracer->loop.threads, tracer->cancel);
        if (error)
            timer_delete(tracer->timer);
    }
    report_start(tracer, error);
    if (error)
        return NULL;
    ptrace_loop_run(&tracer->loop);
    record_queue_end(tracer->loop.queue);
    return NULL;
}

/* The thread inherits a mask without any signal: those are for lprofd's other threads. */
static int create_thread(struct ptrace_tracer *tracer)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&tracer->thread, NULL, tracer_main, tracer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

static int wait_for_start(struct ptrace_tracer *tracer)
{
    pthread_mutex_lock(&tracer->lock);
    while (!tracer->has_started)
        pthread_cond_wait(&tracer->started, &tracer->lock);
    pthread_mutex_unlock(&tracer->lock);
    return tracer->start_error;
}

static void tracer_free(struct ptrace_tracer *tracer)
{
    traced_threads_free(&tracer->loop.threads);
    ptrace_maps_free(&tracer->loop.maps);
    pthread_cond_destroy(&tracer->started);
    pthread_mutex_destroy(&tracer->lock);
    free(tracer->stack);
    free(tracer);
}

static struct ptrace_tracer *tracer_new(const struct capture_options *options,
                                        struct record_queue *queue)
{
    struct ptrace_tracer *tracer = calloc(1, sizeof *tracer);
    unsigned char *stack = malloc(PTRACE_STACK_BYTES_MAX);
    if (!tracer || !stack) {
        free(tracer);
        free(stack);
        return NULL;
    }
    tracer->stack = stack;
    tracer->cancel = options->cancel;
    tracer->loop = (struct ptrace_loop){
        .queue = queue,
        .pid = options->pid,
        .period_ns = NS_PER_SECOND / options->frequency_hz,
        .stack = stack,
        .stack_bytes = options->stack_bytes,
        .threads = {.pid = options->pid},
    };
    pthread_mutex_init(&tracer->lock, NULL);
    pthread_cond_init(&tracer->started, NULL);
    return tracer;
}

/* The kernel lets go of the tracees a moment after pthread_join() sees the thread's end. */
static void wait_until_gone(pid_t tid)
{
    for (int i = 0; i < 200 && syscall(SYS_tgkill, getpid(), tid, 0) == 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 500 * 1000}, NULL);
}

int ptrace_tracer_start(const struct capture_options *options, struct record_queue *queue,
                        struct ptrace_tracer **ret_tracer, struct failure *ret_failure)
{
    struct ptrace_tracer *tracer = tracer_new(options, queue);
    if (!tracer)
        return failure_set(ret_failure, -ENOMEM, "out of memory");
    int error = claim_signal(&tracer->wake_signal);
    if (!error)
        error = create_thread(tracer);
    if (error) {
        tracer_free(tracer);
        return failure_set(ret_failure, error, "cannot start the tracing thread");
    }
    error = wait_for_start(tracer);
    if (error) {
        pthread_join(tracer->thread, NULL);
        wait_until_gone(tracer->tid); /* some may be seized already */
        tracer_free(tracer);
        return ptrace_refusal(options->pid, error, ret_failure);
    }
    *ret_tracer = tracer;
    return 0;
}

void ptrace_tracer_set_enabled(struct ptrace_tracer *tracer, bool enabled)
{
    atomic_store_explicit(&tracer->loop.enabled, enabled, memory_order_relaxed);
}

bool ptrace_tracer_lacked_descriptors(struct ptrace_tracer *tracer)
{
    return atomic_exchange_explicit(&tracer->loop.lacks_descriptors, false, memory_order_relaxed);
}

void ptrace_tracer_set_stack_bytes(struct ptrace_tracer *tracer, uint32_t stack_bytes)
{
    atomic_store(&tracer->loop.stack_bytes, stack_bytes);
}

uint64_t ptrace_tracer_cost_ns(const struct ptrace_tracer *tracer)
{
    return atomic_load_explicit(&tracer->loop.target_cost_ns, memory_order_relaxed);
}

void ptrace_tracer_stop(struct ptrace_tracer *tracer)
{
    if (!tracer)
        return;
    atomic_store_explicit(&tracer->loop.stopping, true, memory_order_relaxed);
    pthread_join(tracer->thread, NULL); /* the timer wakes it */
    timer_delete(tracer->timer);
    wait_until_gone(tracer->tid);
    tracer_free(tracer);
}
