/*
 * Backend perf-thread: one event and one ring per thread, on whatever CPU it runs. Takes the fewest
 * descriptors for few threads on many CPUs; threads that start later are found by looking again.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/perf_capture.h"
#include "capture/target_threads.h"
#include "lprofd/privilege.h"

/* A thread's ring: a small one, for there may be many and the kernel limits locked memory. */
#define RING_SAMPLES_MAX 32
#define RING_BYTES_MIN ((size_t)512 << 10)
/* Threads tell of those that they create; this finds the ones whose creator was not watched yet. */
#define RESCAN_INTERVAL_NS NS_PER_SECOND

struct perf_thread_capture {
    struct perf_capture perf; /* first: what callers see */
    pid_t *tids;              /* owned; of each ring; 0 once its thread has ended */
    size_t tid_capacity;
    pid_t *created; /* owned; threads that were told of and have no event yet */
    size_t created_count, created_capacity;
    uint64_t scanned_ns;
    bool enabled, was_paused;
    record_fn *on_record; /* of the drain under way */
    void *user;
};

static bool is_known(const struct perf_thread_capture *self, pid_t tid)
{
    for (size_t i = 0; i < self->perf.ring_count; i++)
        if (self->tids[i] == tid)
            return true;
    return false;
}

static int open_thread(void *user, pid_t tid)
{
    struct perf_thread_capture *self = user;
    struct perf_capture *perf = &self->perf;
    if (is_known(self, tid))
        return 0;
    struct perf_event_attr attributes = perf_sampling_attributes(&perf->recipe, true);
    attributes.disabled = !self->enabled;
    _cleanup_close_ int fd = -1;
    int error =
        array_reserve(&self->tids, &self->tid_capacity, perf->ring_count + 1, sizeof(pid_t));
    if (!error) /* before there is a ring: both have the same places */
        error = array_reserve(&perf->sampling_fds, &perf->sampling_capacity,
                              perf->sampling_count + 1, sizeof(int));
    if (!error)
        error = privilege_open_perf_event(&attributes, tid, -1, &fd);
    if (!error)
        error = perf_capture_add_ring(perf, fd, perf->recipe.ring_bytes, true);
    if (error)
        return error;
    self->tids[perf->ring_count - 1] = tid;
    perf->missed |= self->enabled;
    return perf_capture_keep_sampling(perf, &fd);
}

static int fill(struct perf_capture *perf, const struct capture_options *options)
{
    size_t *ring_bytes = &perf->recipe.ring_bytes;
    perf->recipe.inherit = false; /* an inherited event on any CPU cannot have a ring */
    while (*ring_bytes > RING_BYTES_MIN && *ring_bytes > RING_SAMPLES_MAX * options->stack_bytes)
        *ring_bytes /= 2;
    int error = target_threads_each(options->pid, perf->cancel, open_thread, perf);
    return error || perf->ring_count ? error : -ESRCH;
}

static void perf_thread_close(struct capture *capture)
{
    struct perf_thread_capture *self = (struct perf_thread_capture *)capture;
    if (!self)
        return;
    perf_capture_clear(&self->perf);
    free(self->tids);
    free(self->created);
    free(self);
}

static int perf_thread_open(const struct capture_options *options, struct capture **ret_capture,
                            struct failure *ret_failure)
{
    struct perf_thread_capture *self = calloc(1, sizeof *self);
    if (!self)
        return failure_set(ret_failure, -ENOMEM, "out of memory");
    self->perf.base = (struct capture){.ops = &capture_perf_thread, .reports_mappings = true};
    int error = perf_capture_fill(&self->perf, options, fill);
    if (error) {
        perf_thread_close(&self->perf.base);
        return perf_capture_explain(options, error, ret_failure);
    }
    *ret_capture = &self->perf.base;
    return 0;
}

/* While events were off, threads came, went and executed other programs without a word. */
static int reopen(struct perf_thread_capture *self)
{
    perf_capture_clear(&self->perf);
    self->created_count = 0;
    return target_threads_each(self->perf.pid, self->perf.cancel, open_thread, self);
}

static int perf_thread_set_enabled(struct capture *capture, bool enabled)
{
    struct perf_thread_capture *self = (struct perf_thread_capture *)capture;
    int error = enabled && self->was_paused ? reopen(self) : 0;
    if (!error || error == -ENOBUFS) /* then threads without a ring are looked for again */
        error = perf_capture_set_enabled(capture, enabled);
    self->was_paused |= !enabled;
    self->enabled = enabled;
    self->perf.missed |= enabled;
    return error;
}

/* An ended thread's ring is empty by now: its place is given to the last one. */
static void forget_ended(struct perf_thread_capture *self)
{
    struct perf_capture *perf = &self->perf;
    for (size_t i = perf->ring_count; i-- > 0;) {
        if (self->tids[i])
            continue;
        size_t last = --perf->ring_count;
        perf_ring_unmap(&perf->rings[i]);
        close_fd(&perf->sampling_fds[i]);
        perf->rings[i] = perf->rings[last];
        perf->polls[i] = perf->polls[last];
        perf->sampling_fds[i] = perf->sampling_fds[last];
        self->tids[i] = self->tids[last];
        perf->sampling_count = last;
    }
}

/*
 * The main thread's end may be an exec by another one, which has its id now and which the record to
 * come tells of: looked for before that, it would get a second event.
 */
static void note_exit(struct perf_thread_capture *self, pid_t tid)
{
    for (size_t i = 0; i < self->perf.ring_count; i++)
        if (self->tids[i] == tid)
            self->tids[i] = 0;
    if (tid == self->perf.pid)
        self->scanned_ns = clock_monotonic_ns();
}

/* Only the thread that executes is left, and it is the main one from now on (execve(2)). */
static void note_exec(struct perf_thread_capture *self, pid_t tid)
{
    for (size_t i = 0; i < self->perf.ring_count; i++)
        if (self->tids[i])
            self->tids[i] = tid;
}

/* Without memory it is left to the next look at all threads. */
static void note_creation(struct perf_thread_capture *self, pid_t tid)
{
    if (!array_reserve(&self->created, &self->created_capacity, self->created_count + 1,
                       sizeof(pid_t)))
        self->created[self->created_count++] = tid;
}

static void note(void *user, const struct record *record)
{
    struct perf_thread_capture *self = user;
    if (record->type == RECORD_EXIT)
        note_exit(self, record->tid);
    if (record->type == RECORD_COMM && record->comm.is_exec)
        note_exec(self, record->tid);
    if (record->type == RECORD_FORK && record->pid == record->fork.parent_pid)
        note_creation(self, record->tid);
    self->on_record(self->user, record);
}

/* Of a thread that had no event to tell it. */
static void tell_exit(struct perf_thread_capture *self, pid_t tid)
{
    const struct record record = {
        .type = RECORD_EXIT,
        .time_ns = clock_monotonic_ns(),
        .pid = self->perf.pid,
        .tid = tid,
    };
    self->on_record(self->user, &record);
}

static int open_created(struct perf_thread_capture *self)
{
    int error = 0;
    for (size_t i = 0; i < self->created_count && !error; i++) {
        error = open_thread(self, self->created[i]);
        if (error == -ESRCH) {
            tell_exit(self, self->created[i]);
            error = 0;
        }
    }
    self->created_count = 0;
    return error;
}

/* Smaller rings for all, so that new threads have some too. The present ones are emptied first. */
static int make_room(struct perf_thread_capture *self)
{
    int error = -ENOBUFS;
    while (error == -ENOBUFS && perf_recipe_halve_rings(&self->perf.recipe)) {
        perf_capture_drain(&self->perf.base, true, note, self);
        error = reopen(self);
    }
    return error;
}

static int perf_thread_drain(struct capture *capture, bool final, record_fn *on_record, void *user)
{
    struct perf_thread_capture *self = (struct perf_thread_capture *)capture;
    self->on_record = on_record;
    self->user = user;
    int error = perf_capture_drain(capture, final, note, self);
    uint64_t now_ns = clock_monotonic_ns();
    forget_ended(self);
    if (!error && !final)
        error = open_created(self);
    if (!error && !final && now_ns - self->scanned_ns >= RESCAN_INTERVAL_NS) {
        self->scanned_ns = now_ns;
        error = target_threads_each(self->perf.pid, self->perf.cancel, open_thread, self);
    }
    if (error == -ENOBUFS)
        error = make_room(self);
    return error == -ESRCH ? 0 : error;
}

const struct capture_ops capture_perf_thread = {
    .name = "perf-thread",
    .open = perf_thread_open,
    .set_enabled = perf_thread_set_enabled,
    .wait = perf_capture_wait,
    .drain = perf_thread_drain,
    .may_reopen = perf_ring_suffices,
    .close = perf_thread_close,
};
