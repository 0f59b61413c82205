/* What the perf backends have in common. */
#include "capture/perf_capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/record_order.h"

/*
 * A record gets its time stamp before it is published: what is younger than this may still be
 * overtaken by a record of another CPU.
 */
#define SETTLING_NS NS_PER_MS

/*
 * How long a drain takes at most: where the machine starts more processes than lprofd can hear of,
 * it must still do what it is asked for, and end.
 */
#define DRAIN_NS (100 * NS_PER_MS)
#define FINAL_DRAIN_NS (2 * NS_PER_SECOND)

/*
 * What one sample costs the target, measured on Linux 6.18: the interrupt and the record about
 * 1 us, and copying the stack about 0.1 ns a byte (1.4 to 2.2 us for 16 KiB).
 */
#define SAMPLE_COST_NS 1000
#define STACK_COST_NS(bytes) ((bytes) / 10)

static int keep(int **fds, size_t *count, size_t *capacity, int *fd)
{
    if (array_reserve(fds, capacity, *count + 1, sizeof(int)))
        return -ENOMEM;
    (*fds)[(*count)++] = take_fd(fd);
    return 0;
}

int perf_capture_keep_sampling(struct perf_capture *perf, int *fd)
{
    return keep(&perf->sampling_fds, &perf->sampling_count, &perf->sampling_capacity, fd);
}

int perf_capture_keep_other(struct perf_capture *perf, int *fd)
{
    return keep(&perf->other_fds, &perf->other_count, &perf->other_capacity, fd);
}

void perf_capture_close_sampling(struct perf_capture *perf, int fd)
{
    for (size_t i = 0; i < perf->sampling_count; i++) {
        if (perf->sampling_fds[i] != fd)
            continue;
        close(fd);
        perf->sampling_fds[i] = perf->sampling_fds[--perf->sampling_count];
        return;
    }
}

int perf_capture_add_ring(struct perf_capture *perf, int fd, size_t ring_bytes, bool wake)
{
    size_t want = perf->ring_count + 1;
    if (array_reserve(&perf->rings, &perf->ring_capacity, want, sizeof *perf->rings) ||
        array_reserve(&perf->polls, &perf->poll_capacity, want, sizeof *perf->polls))
        return -ENOMEM;
    int error = perf_ring_map(fd, ring_bytes, &perf->rings[perf->ring_count]);
    if (error)
        return error;
    perf->polls[perf->ring_count++] = (struct pollfd){.fd = wake ? fd : -1, .events = POLLIN};
    return 0;
}

void perf_capture_clear(struct perf_capture *perf)
{
    for (size_t i = 0; i < perf->ring_count; i++)
        perf_ring_unmap(&perf->rings[i]);
    for (size_t i = 0; i < perf->sampling_count; i++)
        close_fd(&perf->sampling_fds[i]);
    for (size_t i = 0; i < perf->other_count; i++)
        close_fd(&perf->other_fds[i]);
    free(perf->rings);
    free(perf->polls);
    free(perf->sampling_fds);
    free(perf->other_fds);
    *perf = (struct perf_capture){
        .base = perf->base, .recipe = perf->recipe, .pid = perf->pid, .cancel = perf->cancel};
}

/* A refusal of everything; a refusal of only the kernel's part is tried without it first. */
static bool is_refusal(int error)
{
    return error == -EPERM || error == -EACCES;
}

/* All rings get the same: where that is more than may be locked, it begins again with less. */
static int fill_with_less(struct perf_capture *perf, const struct capture_options *options,
                          perf_fill_fn *fill)
{
    for (;;) {
        int error = fill(perf, options);
        if (!error)
            return 0;
        perf_capture_clear(perf);
        if (error != -ENOBUFS ||
            !(perf_recipe_halve_rings(&perf->recipe) || perf_recipe_halve_stacks(&perf->recipe)))
            return error;
    }
}

int perf_capture_fill(struct perf_capture *perf, const struct capture_options *options,
                      perf_fill_fn *fill)
{
    bool automatic = strcmp(options->event, "auto") == 0;
    int error = -ENOTSUP;
    perf->pid = options->pid;
    perf->cancel = options->cancel;
    perf->base.period_ns = NS_PER_SECOND / options->frequency_hz;
    perf->recipe.follow = options->follow;
    perf->recipe.frequency_hz = options->frequency_hz;
    perf->recipe.stack_bytes = options->stack_bytes;
    perf->recipe.ring_bytes = perf_ring_bytes_for(options);
    for (size_t i = 0; i < perf_event_choice_count; i++) {
        perf->recipe.choice = &perf_event_choices[i];
        if (!automatic && strcmp(options->event, perf->recipe.choice->name) != 0)
            continue;
        perf->recipe.user_only = false;
        error = fill_with_less(perf, options, fill);
        if (is_refusal(error)) {
            perf->recipe.user_only = true;
            error = fill_with_less(perf, options, fill);
        }
        if (!error) {
            perf->base.event = perf->recipe.choice->name;
            perf->base.stack_bytes = perf->recipe.stack_bytes;
            return 0;
        }
        if (is_refusal(error) || error == -EMFILE || error == -ENOBUFS || error == -ESRCH)
            return error;
    }
    return error;
}

int perf_capture_explain(const struct capture_options *options, int error,
                         struct failure *ret_failure)
{
    if (is_refusal(error))
        return failure_set(ret_failure, error,
                           "perf events for process %d were refused: run lprofd as root or with "
                           "CAP_PERFMON and CAP_BPF (`lprof doctor` tells more)",
                           options->pid);
    if (error == -ESRCH)
        return failure_set(ret_failure, error, "process %d ended while lprofd attached to it",
                           options->pid);
    if (error == -EMFILE)
        return failure_set(ret_failure, error,
                           "too many open files for the perf events of process %d", options->pid);
    if (error == -ENOBUFS)
        return failure_set(ret_failure, error,
                           "too little memory may be locked for the perf events of process %d: "
                           "raise `ulimit -l`, or sysctl kernel.perf_event_mlock_kb",
                           options->pid);
    return failure_set(ret_failure, error,
                       "event %s cannot be sampled on this machine (%s): use --event auto",
                       options->event, strerror(-error));
}

/* Of every event, also when one fails. Returns the first error. */
static int request_all(const struct perf_capture *perf, unsigned long request,
                       const struct cancel *cancel)
{
    int error = 0;
    for (size_t i = 0; i < perf->sampling_count; i++) {
        if (cancel_is_wanted(cancel))
            return -ECANCELED;
        if (ioctl(perf->sampling_fds[i], request, 0) < 0 && !error)
            error = -errno;
    }
    return error;
}

int perf_capture_set_enabled(struct capture *capture, bool enabled)
{
    struct perf_capture *perf = (struct perf_capture *)capture;
    int error = enabled ? request_all(perf, PERF_EVENT_IOC_ENABLE, perf->cancel)
                        : request_all(perf, PERF_EVENT_IOC_DISABLE, NULL);
    if (error && enabled)
        request_all(perf, PERF_EVENT_IOC_DISABLE, NULL); /* all or none */
    return error;
}

int perf_capture_wait(struct capture *capture, uint64_t timeout_ns)
{
    struct perf_capture *perf = (struct perf_capture *)capture;
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_SECOND),
                               .tv_nsec = (long)(timeout_ns % NS_PER_SECOND)};
    return ppoll(perf->polls, perf->ring_count, &timeout, NULL) < 0 && errno != EINTR ? -errno : 0;
}

static void pass_on(void *user, const struct record *record)
{
    struct perf_capture *perf = user;
    struct record named;
    if (record->type == RECORD_SAMPLE)
        perf->base.target_cost_ns += SAMPLE_COST_NS + STACK_COST_NS(record->sample.stack_bytes);
    if (record->type == RECORD_EXIT)
        exiting_tasks_note(&perf->exiting, record);
    if (record->type == RECORD_SAMPLE && record->tid <= 0) {
        named = *record;
        exiting_tasks_name(&perf->exiting, &named);
        record = &named;
    }
    perf->on_record(perf->user, record);
}

int perf_capture_drain(struct capture *capture, bool final, record_fn *on_record, void *user)
{
    struct perf_capture *perf = (struct perf_capture *)capture;
    uint64_t now_ns = clock_monotonic_ns(), lost_count = 0;
    perf->on_record = on_record;
    perf->user = user;
    if (perf->missed) {
        struct record missed = {.type = RECORD_MISSED, .time_ns = now_ns, .pid = perf->pid};
        perf->missed = false;
        on_record(user, &missed);
    }
    struct drain_limits limits = {.until_ns = final ? UINT64_MAX - 1 : now_ns - SETTLING_NS,
                                  .deadline_ns = now_ns + (final ? FINAL_DRAIN_NS : DRAIN_NS)};
    perf->base.left_ns = record_order_drain(perf->rings, perf->ring_count, limits,
                                            perf->base.period_ns, pass_on, perf, &lost_count);
    if (final) {
        lost_count += record_order_discard(perf->rings, perf->ring_count);
        perf->base.left_ns = 0;
    }
    if (lost_count) {
        /* Nothing goes missing unsaid: what could not be decoded counts as lost. */
        struct record lost = {.type = RECORD_LOST, .time_ns = now_ns, .lost_count = lost_count};
        on_record(user, &lost);
    }
    return 0;
}
