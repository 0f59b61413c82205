/*
 * What the tracer thread does (ptrace(2)): seize, answer every stop, and at each tick stop the
 * threads that run. Only those: stopping a sleeping thread could make its system call fail with
 * EINTR.
 *
 * "Runnable" is not "running": on a busy machine a thread waits for a CPU most of the time, and
 * after each stop it waits again. Sampled at each tick, it would show the place where it waits over
 * and over. So samples follow the CPU time that the kernel has given the thread: one per period of
 * it, and a thread that got no CPU since its last sample is not stopped at all. Nor does one count
 * that has been woken and waits for a CPU: it shows where it slept, not where it works.
 */
#include "capture/ptrace_loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/negative_errno.h"
#include "capture/ptrace_refusal.h"
#include "capture/ptrace_sample.h"
#include "capture/ptrace_woken.h"
#include "lprofd/privilege.h"

/*
 * What a stop takes before the tracer sees it and after it lets go: two switches of threads.
 * Measured on Linux 6.18 as 20 to 35 us by a counting loop, less the part that is measured here.
 */
#define STOP_COST_NS (20 * UINT64_C(1000))

/* --- records ---------------------------------------------------------------------------------- */

static struct record new_record(const struct ptrace_loop *loop, enum record_type type, pid_t tid)
{
    return (struct record){
        .type = type,
        .time_ns = clock_monotonic_ns(),
        .pid = loop->pid,
        .tid = tid,
    };
}

static void emit_simple(struct ptrace_loop *loop, enum record_type type, pid_t tid)
{
    struct record record = new_record(loop, type, tid);
    if (type == RECORD_FORK)
        record.fork.parent_pid = loop->pid;
    record_queue_add(loop->queue, &record);
}

static void emit_name(struct ptrace_loop *loop, const struct traced_thread *thread, bool is_exec)
{
    struct record record = new_record(loop, RECORD_COMM, thread->tid);
    record.cpu = thread->cpu;
    record.comm.name = thread->name;
    record.comm.is_exec = is_exec;
    record_queue_add(loop->queue, &record);
}

/* A thread that has ended is no news, but one that could not be looked at is missing. */
static int note_lack(struct ptrace_loop *loop, int error)
{
    if (lacks_descriptors(error))
        atomic_store_explicit(&loop->lacks_descriptors, true, memory_order_relaxed);
    return error;
}

/*
 * How many periods of CPU time the next sample of a thread stands for, rounded; what is left over
 * is owed.
 */
static uint64_t take_periods(struct ptrace_loop *loop, struct traced_thread *thread,
                             const struct thread_run *run)
{
    if (thread->has_run && run->cpu_ns > thread->run.cpu_ns)
        thread->owed_ns += (int64_t)(run->cpu_ns - thread->run.cpu_ns);
    thread->run = *run;
    thread->has_run = true;
    const int64_t period_ns = (int64_t)loop->period_ns;
    int64_t periods = (thread->owed_ns + period_ns / 2) / period_ns;
    if (periods <= 0)
        return 0;
    thread->owed_ns -= periods * period_ns;
    return (uint64_t)periods;
}

/* Reads the stopped thread. False: it has not earned a sample yet, or is gone. */
static bool read_sample(struct ptrace_loop *loop, struct traced_thread *thread,
                        struct record *ret_record)
{
    struct record record = new_record(loop, RECORD_SAMPLE, thread->tid);
    record.cpu = thread->cpu;
    record.sample = (struct sample){
        .time_ns = record.time_ns,
        .pid = record.pid,
        .tid = record.tid,
        .cpu = record.cpu,
    };
    /* Registers first: the kernel answers only when the thread is off its CPU and accounted for. */
    if (ptrace_sample_registers(thread->tid, &record.sample))
        return false;
    struct thread_run run;
    uint64_t periods = 1; /* where the kernel does not count */
    if (note_lack(loop, traced_thread_read_run(&loop->threads, thread, &run)) == 0) {
        periods = ptrace_woken_only(&loop->threads, thread, &run, &record.sample)
                      ? 0
                      : take_periods(loop, thread, &run);
        thread->run.slices = run.slices; /* nothing new to show before it gets a CPU again */
    }
    if (periods == 0)
        return false;
    record.sample.weight_ns = loop->period_ns * periods;
    ptrace_sample_stack(thread->tid, loop->stack, atomic_load(&loop->stack_bytes), &record.sample);
    *ret_record = record;
    return true;
}

/* --- stops ------------------------------------------------------------------------------------ */

static bool is_stop_signal(int signal)
{
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* All threads but the one that called execve(2) are gone, and it has the leader's id now. */
static void handle_exec(struct ptrace_loop *loop)
{
    for (size_t i = loop->threads.count; i-- > 0;) {
        pid_t tid = loop->threads.threads[i].tid;
        if (tid == loop->pid)
            continue;
        emit_simple(loop, RECORD_EXIT, tid);
        traced_threads_remove(&loop->threads, tid);
    }
    struct traced_thread *leader = traced_threads_find(&loop->threads, loop->pid);
    if (!leader)
        return;
    pid_t former = loop->pid;
    if (!privilege_ptrace_former_tid(loop->pid, &former) && former != loop->pid) {
        emit_simple(loop, RECORD_EXIT, loop->pid); /* the leader that was is gone, too */
        leader->has_run = false;
    }
    char state;
    bool renamed;
    traced_thread_read(&loop->threads, leader, &state, &renamed);
    emit_name(loop, leader, true);
    ptrace_maps_forget(&loop->maps);
}

/* The same at a stop that is not for a sample, as for a signal. */
static void note_slices(struct ptrace_loop *loop, struct traced_thread *thread)
{
    struct thread_run run;
    if (thread->has_run && traced_thread_read_run(&loop->threads, thread, &run) == 0)
        thread->run.slices = run.slices;
}

/* Lets a stopped thread go on as it would have without a tracer. */
static void resume(pid_t tid, int event, int signal)
{
    if (event == PTRACE_EVENT_STOP && is_stop_signal(signal))
        privilege_ptrace_listen(tid); /* stays stopped until SIGCONT */
    else
        privilege_ptrace_continue(tid, event == 0 ? signal : 0);
}

static void handle_stop(struct ptrace_loop *loop, struct traced_thread *thread, int status)
{
    uint64_t start_ns = clock_monotonic_ns();
    int event = status >> 16;
    int signal = WSTOPSIG(status);
    /* Whatever stop comes first takes the place of the one that was asked for. */
    bool wanted = thread->interrupted && event != PTRACE_EVENT_EXEC &&
                  !(event == PTRACE_EVENT_STOP && is_stop_signal(signal)) &&
                  atomic_load_explicit(&loop->enabled, memory_order_relaxed);
    struct record record;
    thread->stops++;
    if (wanted)
        wanted = read_sample(loop, thread, &record);
    else
        note_slices(loop, thread);
    thread->interrupted = false;
    pid_t tid = thread->tid;
    if (event == PTRACE_EVENT_EXEC)
        handle_exec(loop);
    resume(tid, event, signal);
    atomic_fetch_add_explicit(&loop->target_cost_ns, STOP_COST_NS + clock_monotonic_ns() - start_ns,
                              memory_order_relaxed);
    if (wanted)
        record_queue_add(loop->queue, &record);
}

/* False: a process that was cloned, which is not ours. Needs no descriptor (tgkill(2)). */
static bool is_thread_of_target(const struct ptrace_loop *loop, pid_t tid)
{
    return syscall(SYS_tgkill, loop->pid, tid, 0) == 0 || errno == EPERM;
}

/* A thread's first stop. NULL when it is not one of the target's, or memory is short. */
static struct traced_thread *adopt(struct ptrace_loop *loop, pid_t tid)
{
    if (!is_thread_of_target(loop, tid) || traced_threads_add(&loop->threads, tid))
        return NULL;
    emit_simple(loop, RECORD_FORK, tid);
    struct traced_thread *thread = traced_threads_find(&loop->threads, tid);
    thread->has_run = atomic_load_explicit(&loop->enabled, memory_order_relaxed); /* from zero */
    return thread;
}

static void handle_event(struct ptrace_loop *loop, pid_t tid, int status)
{
    struct traced_thread *thread = traced_threads_find(&loop->threads, tid);
    if (WIFSTOPPED(status)) {
        if (!thread)
            thread = adopt(loop, tid);
        if (thread)
            handle_stop(loop, thread, status);
        else
            privilege_ptrace_detach(tid, status >> 16 == 0 ? WSTOPSIG(status) : 0);
    } else if (thread && (WIFEXITED(status) || WIFSIGNALED(status))) {
        emit_simple(loop, RECORD_EXIT, tid);
        traced_threads_remove(&loop->threads, tid);
    }
}

/* --- ticks ------------------------------------------------------------------------------------ */

/* A thread that waits for a CPU since its last sample has nothing new to show. */
static bool has_run_since(struct ptrace_loop *loop, struct traced_thread *thread)
{
    struct thread_run run;
    if (note_lack(loop, traced_thread_read_run(&loop->threads, thread, &run)))
        return true;
    thread->slices_at_tick = run.slices;
    if (thread->has_run)
        return run.slices != thread->run.slices;
    thread->run = run; /* CPU time is owed from now on */
    thread->has_run = true;
    return true;
}

/* True when the thread runs and should be stopped. */
static bool is_due(struct ptrace_loop *loop, struct traced_thread *thread, bool enabled)
{
    char state;
    bool renamed;
    if (note_lack(loop, traced_thread_read(&loop->threads, thread, &state, &renamed)))
        return false;
    if (renamed)
        emit_name(loop, thread, false);
    if (!enabled) {
        thread->has_run = false;
        thread->owed_ns = 0;
        return false;
    }
    return state == 'R' && !thread->interrupted && has_run_since(loop, thread);
}

/* True when any is to be stopped. */
static bool find_running(struct ptrace_loop *loop, bool enabled)
{
    bool any_due = false;
    for (size_t i = 0; i < loop->threads.count; i++) {
        struct traced_thread *thread = &loop->threads.threads[i];
        thread->due = is_due(loop, thread, enabled);
        any_due |= thread->due;
    }
    return any_due;
}

/* Records that come after this one are of these mappings. */
static void look_at_maps(struct ptrace_loop *loop)
{
    int news = note_lack(loop, ptrace_maps_look(&loop->maps, loop->pid));
    struct record record = new_record(loop, RECORD_MAPS, loop->pid);
    record.maps = loop->maps.known.length ? loop->maps.known.bytes : "";
    if (news > 0)
        record_queue_add(loop->queue, &record);
}

static void interrupt_due(struct ptrace_loop *loop)
{
    for (size_t i = 0; i < loop->threads.count; i++) {
        struct traced_thread *thread = &loop->threads.threads[i];
        if (thread->due)
            thread->interrupted = privilege_ptrace_interrupt(thread->tid) == 0;
    }
}

/* All is looked at before the first is stopped, so that none stands still for longer than needed.
 */
static void sample_running(struct ptrace_loop *loop, uint64_t now_ns, bool enabled)
{
    if (!enabled)
        ptrace_maps_forget(&loop->maps);
    if (!find_running(loop, enabled))
        return;
    if (ptrace_maps_are_due(&loop->maps, now_ns))
        look_at_maps(loop);
    interrupt_due(loop);
}

/* xorshift64 (Marsaglia 2003): 0 to `below` - 1. */
static uint64_t random_below(struct ptrace_loop *loop, uint64_t below)
{
    loop->random ^= loop->random << 13;
    loop->random ^= loop->random >> 7;
    loop->random ^= loop->random << 17;
    return loop->random % below;
}

/*
 * Ticks are half a period to one and a half apart. Equally far apart, they would keep step with
 * what a program does periodically: meet none of its bursts for a while, and then all at the same
 * place, which gets the CPU time of those that were missed. Ticks that are missed stay missed: a
 * burst of them would only sample lprofd's own delay.
 */
static uint64_t next_tick(struct ptrace_loop *loop, uint64_t now_ns, bool enabled)
{
    uint64_t interval_ns = enabled ? loop->period_ns / 2 + random_below(loop, loop->period_ns) + 1
                                   : PTRACE_IDLE_INTERVAL_NS;
    uint64_t next_ns = loop->next_tick_ns + interval_ns;
    return next_ns > now_ns ? next_ns : now_ns + interval_ns;
}

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_SECOND),
                             .tv_nsec = (long)(ns % NS_PER_SECOND)};
}

/* A signal that comes before its thread waits is lost: then there is another one soon. */
int ptrace_loop_set_timer(const struct ptrace_loop *loop)
{
    uint64_t idle_ns = clock_monotonic_ns() + PTRACE_IDLE_INTERVAL_NS;
    uint64_t again_ns =
        loop->period_ns < PTRACE_IDLE_INTERVAL_NS ? loop->period_ns : PTRACE_IDLE_INTERVAL_NS;
    struct itimerspec setting = {
        .it_interval = timespec_of(again_ns),
        .it_value = timespec_of(loop->next_tick_ns < idle_ns ? loop->next_tick_ns : idle_ns),
    };
    return timer_settime(loop->timer, TIMER_ABSTIME, &setting, NULL) < 0 ? -errno : 0;
}

static void tick(struct ptrace_loop *loop, uint64_t now_ns)
{
    bool enabled = atomic_load_explicit(&loop->enabled, memory_order_relaxed);
    sample_running(loop, now_ns, enabled);
    loop->next_tick_ns = next_tick(loop, clock_monotonic_ns(), enabled);
    ptrace_loop_set_timer(loop); /* without it, it fires at the interval that it has */
}

/*
 * Waits for one event and consumes it, unless it is the leader's end, which is always the last one:
 * that stays for the process that is its parent, which may be lprofd. False at the end.
 */
static bool wait_for_event(struct ptrace_loop *loop)
{
    siginfo_t info = {0};
    const int options = WEXITED | WSTOPPED | __WALL | __WNOTHREAD;
    if (waitid(P_ALL, 0, &info, options | WNOWAIT) < 0)
        return errno == EINTR;
    bool has_ended = info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED;
    if (has_ended && info.si_pid == loop->pid) {
        emit_simple(loop, RECORD_EXIT, loop->pid);
        return false;
    }
    int status;
    if (waitpid(info.si_pid, &status, __WALL | __WNOTHREAD | WNOHANG) > 0)
        handle_event(loop, info.si_pid, status);
    return true;
}

void ptrace_loop_run(struct ptrace_loop *loop)
{
    while (!atomic_load_explicit(&loop->stopping, memory_order_relaxed)) {
        if (!wait_for_event(loop))
            break;
        uint64_t now_ns = clock_monotonic_ns();
        if (now_ns >= loop->next_tick_ns)
            tick(loop, now_ns);
    }
}
