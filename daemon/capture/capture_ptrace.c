/*
 * The ptrace backend, for machines where perf_event_open is refused (containers, seccomp): at each
 * tick it stops the threads that run, reads registers and stack, and lets them go on. Dearer for
 * the target than perf, and blind to the kernel; a sample means "was runnable".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/capture.h"
#include "capture/ptrace_loop.h"
#include "capture/ptrace_queue.h"
#include "capture/ptrace_tracer.h"

struct capture_by_ptrace {
    struct capture capture; /* first: what callers see */
    struct record_queue queue;
    struct ptrace_tracer *tracer; /* owned */
};

static struct capture_by_ptrace *from_capture(struct capture *capture)
{
    return (struct capture_by_ptrace *)capture;
}

static bool can_sample_by(const char *event)
{
    static const char *const events[] = {"auto", "cpu-clock", "task-clock", "ptrace-clock"};
    for (size_t i = 0; i < array_length(events); i++)
        if (strcmp(event, events[i]) == 0)
            return true;
    return false;
}

static int ptrace_open(const struct capture_options *options, struct capture **ret_capture,
                       struct failure *ret_failure)
{
    if (!can_sample_by(options->event))
        return failure_set(ret_failure, -ENOTSUP,
                           "the ptrace backend cannot sample by %s: leave --event out",
                           options->event);
    if (options->stack_bytes > PTRACE_STACK_BYTES_MAX)
        return failure_set(ret_failure, -EINVAL, "no more than %u bytes of a stack can be copied",
                           PTRACE_STACK_BYTES_MAX);
    if (options->frequency_hz == 0 || options->frequency_hz > NS_PER_SECOND)
        return failure_set(ret_failure, -EINVAL, "the frequency must be at least 1 Hz");
    struct capture_by_ptrace *self = calloc(1, sizeof *self);
    if (!self || record_queue_init(&self->queue)) {
        free(self);
        return failure_set(ret_failure, -ENOMEM, "out of memory");
    }
    int error = ptrace_tracer_start(options, &self->queue, &self->tracer, ret_failure);
    if (error) {
        record_queue_destroy(&self->queue);
        free(self);
        return error;
    }
    self->capture = (struct capture){
        .ops = &capture_ptrace,
        .event = "ptrace-clock",
        .period_ns = NS_PER_SECOND / options->frequency_hz,
        .stack_bytes = options->stack_bytes,
        .reports_mappings = false,
    };
    *ret_capture = &self->capture;
    return 0;
}

static int ptrace_set_enabled(struct capture *capture, bool enabled)
{
    ptrace_tracer_set_enabled(from_capture(capture)->tracer, enabled);
    return 0;
}

static int ptrace_wait(struct capture *capture, uint64_t timeout_ns)
{
    record_queue_wait(&from_capture(capture)->queue, timeout_ns);
    return 0;
}

/* One thread has queued them as they happened, so all are in order and none must be held back. */
static int ptrace_drain(struct capture *capture, bool final, record_fn *on_record, void *user)
{
    (void) final;
    record_queue_drain(&from_capture(capture)->queue, on_record, user);
    capture->target_cost_ns = ptrace_tracer_cost_ns(from_capture(capture)->tracer);
    return ptrace_tracer_lacked_descriptors(from_capture(capture)->tracer) ? -EMFILE : 0;
}

static int ptrace_copy_more(struct capture *capture, uint32_t stack_bytes)
{
    if (stack_bytes > PTRACE_STACK_BYTES_MAX)
        return -EINVAL;
    ptrace_tracer_set_stack_bytes(from_capture(capture)->tracer, stack_bytes);
    capture->stack_bytes = stack_bytes;
    return 0;
}

static void ptrace_close(struct capture *capture)
{
    if (!capture)
        return;
    struct capture_by_ptrace *self = from_capture(capture);
    ptrace_tracer_stop(self->tracer);
    record_queue_destroy(&self->queue);
    free(self);
}

const struct capture_ops capture_ptrace = {
    .name = "ptrace",
    .open = ptrace_open,
    .set_enabled = ptrace_set_enabled,
    .wait = ptrace_wait,
    .drain = ptrace_drain,
    .copy_more = ptrace_copy_more,
    .close = ptrace_close,
};
