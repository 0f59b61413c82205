/*
 * Backend perf-task: an inherited event per thread and CPU, all of a CPU's into one ring. Needs no
 * BPF and no rights over other users' processes, but costs the target at each context switch and
 * thread creation.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "capture/descriptors.h"
#include "capture/doubled_tasks.h"
#include "capture/perf_capture.h"
#include "capture/target_threads.h"
#include "lprofd/privilege.h"

/* A target that creates threads all the time would be looked at for ever. */
#define LOOKS_MAX 4

/* A thread for which events were opened. */
struct watched_task {
    pid_t tid;
    bool has_created; /* another thread or process, since events are on */
};

struct perf_task_capture {
    struct perf_capture perf; /* first: what callers see */
    /* Per CPU: the event that holds the ring. It is our own thread's, so that the ring outlives
     * every thread of the target and poll(2) never sees a hang-up. */
    int *holders; /* owned array of borrowed fds */
    int *cpus;    /* owned */
    size_t cpu_count, holder_capacity, cpu_capacity;
    pid_t *found; /* owned; the threads of a process at the last look */
    size_t found_count, found_capacity;
    struct watched_task *tasks; /* owned */
    size_t task_count, task_capacity;
    pid_t *running; /* owned; the target, and others that ran when it was attached to */
    size_t running_count, running_capacity;
    struct created {
        pid_t pid, tid;
    } * created; /* owned; by records of the drain under way: these may have no event */
    size_t created_count, created_capacity;
    struct doubled_tasks doubled;
    size_t descriptors_max;
    bool enabled;
    bool settled;         /* whatever begins from here on is sampled or told of */
    record_fn *on_record; /* of the drain under way */
    void *user;
};

static int open_holder(struct perf_task_capture *self, int cpu)
{
    struct perf_capture *perf = &self->perf;
    struct perf_event_attr attributes = perf_holder_attributes(&perf->recipe);
    _cleanup_close_ int fd = -1;
    attributes.exclude_kernel = 1; /* it counts nothing: no right is needed for that */
    int error = privilege_open_perf_event(&attributes, 0, cpu, &fd);
    if (!error &&
        (array_reserve(&self->holders, &self->holder_capacity, self->cpu_count + 1, sizeof(int)) ||
         array_reserve(&self->cpus, &self->cpu_capacity, self->cpu_count + 1, sizeof(int))))
        error = -ENOMEM;
    if (!error)
        error = perf_capture_add_ring(perf, fd, perf->recipe.ring_bytes, true);
    if (error)
        return error;
    self->holders[self->cpu_count] = fd;
    self->cpus[self->cpu_count++] = cpu;
    return perf_capture_keep_other(perf, &fd);
}

static struct watched_task *find_task(const struct perf_task_capture *self, pid_t tid)
{
    for (size_t i = 0; i < self->task_count; i++)
        if (self->tasks[i].tid == tid)
            return &self->tasks[i];
    return NULL;
}

static int note_doubtful(struct perf_task_capture *self, int fd)
{
    uint64_t event_id;
    if (ioctl(fd, PERF_EVENT_IOC_ID, &event_id) < 0)
        return -errno;
    return doubled_tasks_add(&self->doubled, event_id, fd);
}

static int open_on_cpu(struct perf_task_capture *self, pid_t tid, size_t cpu, bool doubtful)
{
    struct perf_event_attr attributes = perf_sampling_attributes(&self->perf.recipe, true);
    _cleanup_close_ int fd = -1;
    attributes.disabled = !self->enabled;
    if (self->perf.sampling_count >= self->descriptors_max)
        return -EMFILE;
    int error = privilege_open_perf_event(&attributes, tid, self->cpus[cpu], &fd);
    if (!error && ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, self->holders[cpu]) < 0)
        error = -errno;
    int kept_fd = fd;
    if (!error)
        error = perf_capture_keep_sampling(&self->perf, &fd);
    return error || !doubtful ? error : note_doubtful(self, kept_fd);
}

static int open_thread(struct perf_task_capture *self, pid_t tid, bool doubtful)
{
    if (find_task(self, tid))
        return 0;
    int error = array_reserve(&self->tasks, &self->task_capacity, self->task_count + 1,
                              sizeof *self->tasks);
    for (size_t cpu = 0; cpu < self->cpu_count && !error; cpu++)
        error = open_on_cpu(self, tid, cpu, doubtful);
    if (!error)
        self->tasks[self->task_count++] = (struct watched_task){.tid = tid};
    return error == -ESRCH ? 0 : error;
}

static int note_found(void *user, pid_t tid)
{
    struct perf_task_capture *self = user;
    if (array_reserve(&self->found, &self->found_capacity, self->found_count + 1, sizeof(pid_t)))
        return -ENOMEM;
    self->found[self->found_count++] = tid;
    return 0;
}

/*
 * Threads created meanwhile inherited an event, or are found by another look, or both. Only those
 * that were found before the first event was opened cannot have inherited one.
 */
static int open_threads(struct perf_task_capture *self, pid_t pid)
{
    size_t before;
    int looks = 0;
    do {
        before = self->task_count;
        self->found_count = 0;
        int error = target_threads_each(pid, self->perf.cancel, note_found, self);
        for (size_t i = 0; i < self->found_count && !error; i++)
            error = cancel_is_wanted(self->perf.cancel)
                        ? -ECANCELED
                        : open_thread(self, self->found[i], before > 0);
        if (error)
            return error;
    } while (self->task_count > before && ++looks < LOOKS_MAX);
    return self->task_count ? 0 : -ESRCH;
}

/* Until events are on, more of its threads may begin: they are looked for then. */
static int open_process(struct perf_task_capture *self, pid_t pid)
{
    if (!self->enabled && array_reserve(&self->running, &self->running_capacity,
                                        self->running_count + 1, sizeof(pid_t)))
        return -ENOMEM;
    if (!self->enabled)
        self->running[self->running_count++] = pid;
    return open_threads(self, pid);
}

static int fill(struct perf_capture *perf, const struct capture_options *options)
{
    struct perf_task_capture *self = (struct perf_task_capture *)perf;
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    self->cpu_count = self->task_count = self->running_count = 0;
    doubled_tasks_clear(&self->doubled);
    perf->recipe.inherit = true;
    for (int cpu = 0; cpu < cpus; cpu++) {
        int error = open_holder(self, cpu);
        if (error && error != -ENODEV)
            return error;
    }
    return open_process(self, options->pid);
}

static void perf_task_close(struct capture *capture)
{
    struct perf_task_capture *self = (struct perf_task_capture *)capture;
    if (!self)
        return;
    perf_capture_clear(&self->perf);
    free(self->holders);
    free(self->cpus);
    free(self->found);
    free(self->tasks);
    free(self->running);
    free(self->created);
    doubled_tasks_clear(&self->doubled);
    free(self);
}

static int perf_task_open(const struct capture_options *options, struct capture **ret_capture,
                          struct failure *ret_failure)
{
    struct perf_task_capture *self = calloc(1, sizeof *self);
    if (!self)
        return failure_set(ret_failure, -ENOMEM, "out of memory");
    self->perf.base = (struct capture){.ops = &capture_perf_task, .reports_mappings = true};
    self->descriptors_max = descriptor_budget();
    int error = perf_capture_fill(&self->perf, options, fill);
    if (error) {
        perf_task_close(&self->perf.base);
        return perf_capture_explain(options, error, ret_failure);
    }
    *ret_capture = &self->perf.base;
    return 0;
}

/* Records come only while events are on: what was missed is read when they go on. */
static int perf_task_set_enabled(struct capture *capture, bool enabled)
{
    struct perf_task_capture *self = (struct perf_task_capture *)capture;
    int error = perf_capture_set_enabled(capture, enabled);
    self->enabled = enabled && !error;
    self->perf.missed |= enabled;
    return error;
}

/* Its threads may have inherited events from the target's by now; later, all have. */
static int perf_task_add_running(struct capture *capture, pid_t pid)
{
    struct perf_task_capture *self = (struct perf_task_capture *)capture;
    return self->settled ? 0 : open_process(self, pid);
}

/*
 * A task inherits early in its creation, and is in /proc and told of at the end of it. Of those
 * that a thread creates, the first one alone may have begun before the thread's own events did.
 * Without memory it goes without samples.
 */
static void note_creation(struct perf_task_capture *self, const struct record *record)
{
    struct watched_task *creator = find_task(self, record->fork.parent_tid);
    if (!creator || creator->has_created)
        return;
    creator->has_created = true;
    if (record->pid != record->fork.parent_pid && !self->perf.recipe.follow)
        return;
    if (!array_reserve(&self->created, &self->created_capacity, self->created_count + 1,
                       sizeof *self->created))
        self->created[self->created_count++] = (struct created){record->pid, record->tid};
}

/* What it has created itself before it had events, no record tells: it is looked for. */
static int open_created_process(struct perf_task_capture *self, pid_t pid)
{
    self->perf.missed = true;
    self->settled = false;
    return open_threads(self, pid);
}

static int open_created(struct perf_task_capture *self)
{
    int error = 0;
    for (size_t i = 0; i < self->created_count && !error; i++) {
        const struct created *created = &self->created[i];
        error = capture_pass_over(created->pid == created->tid
                                      ? open_created_process(self, created->pid)
                                      : open_thread(self, created->tid, true));
    }
    self->created_count = 0;
    return error;
}

/* Once events are on: of what ended its creation before that, no record tells. */
static int settle(struct perf_task_capture *self)
{
    int error = 0;
    if (self->settled || !self->enabled)
        return 0;
    self->settled = true;
    for (size_t i = 0; i < self->running_count && !error; i++)
        error = capture_pass_over(open_threads(self, self->running[i]));
    return error;
}

static void pass_on(void *user, const struct record *record)
{
    struct perf_task_capture *self = user;
    int doubling_fd;
    if (record->type == RECORD_FORK)
        note_creation(self, record);
    if (doubled_tasks_count(&self->doubled, record, &doubling_fd))
        self->on_record(self->user, record);
    if (doubling_fd >= 0)
        perf_capture_close_sampling(&self->perf, doubling_fd);
}

static int perf_task_drain(struct capture *capture, bool final, record_fn *on_record, void *user)
{
    struct perf_task_capture *self = (struct perf_task_capture *)capture;
    self->on_record = on_record;
    self->user = user;
    int error = perf_capture_drain(capture, final, pass_on, self);
    if (!error && !final)
        error = settle(self);
    if (!error && !final)
        error = open_created(self);
    return error;
}

const struct capture_ops capture_perf_task = {
    .name = "perf-task",
    .open = perf_task_open,
    .set_enabled = perf_task_set_enabled,
    .wait = perf_capture_wait,
    .drain = perf_task_drain,
    .add_running = perf_task_add_running,
    .may_reopen = perf_ring_suffices,
    .close = perf_task_close,
};
