/* What a pipeline stands on: the capture, the target's maps and threads, the unwinder. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/negative_errno.h"
#include "session/pipeline.h"

void pipeline_close(struct pipeline *pipeline)
{
    if (pipeline->capture)
        pipeline->capture->ops->close(pipeline->capture);
    unwinder_free(pipeline->unwinder);
    thread_table_free(pipeline->threads);
    process_tree_free(pipeline->processes);
    free(pipeline->module_hits);
    if (pipeline->pid_fd >= 0)
        close(pipeline->pid_fd);
    free(pipeline);
}

static int open_capture(struct pipeline *pipeline, struct failure *failure)
{
    struct session *session = pipeline->session;
    struct capture_options options = {
        .pid = session->pid,
        .frequency_hz = session->frequency_hz,
        .stack_bytes = session->stack_bytes,
        .follow = session->follow,
        .event = session->event_wanted,
    };
    const char *reason = "";
    int error =
        capture_open(session->backend_wanted, &options, &pipeline->capture, &reason, failure);
    if (error)
        return error;
    pthread_mutex_lock(&session->mutex);
    session->backend = pipeline->capture->ops->name;
    session->backend_reason = reason;
    session->event = pipeline->capture->event;
    pthread_mutex_unlock(&session->mutex);
    return 0;
}

/* The capture is on before maps and threads are read, so that nothing falls in between. */
static int read_process(struct pipeline *pipeline)
{
    struct session *session = pipeline->session;
    struct process *target = process_tree_find(pipeline->processes, session->pid);
    target->waiting_for_exec = session->launched;
    target->maps_read_ns = clock_monotonic_ns();
    /* A launched child still has our own mappings; its exec brings the real ones. */
    int error = session->launched ? 0 : address_space_read(target->space, session->pid);
    if (!error)
        error = thread_table_scan(pipeline->threads, session->pid);
    return error;
}

int pipeline_open(struct session *session, struct pipeline **ret_pipeline, struct failure *failure)
{
    struct pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (!pipeline) {
        failure_set(failure, -ENOMEM, "out of memory");
        return -ENOMEM;
    }
    pipeline->session = session;
    pipeline->pid_fd = (int)syscall(SYS_pidfd_open, session->pid, 0);
    int error = pipeline->pid_fd < 0 ? negative_errno() : 0;
    if (!error)
        error = process_tree_new(session->modules, session->pid, &pipeline->processes);
    if (!error)
        error = thread_table_new(&pipeline->threads);
    if (!error)
        error = unwinder_new(&architecture_own, &pipeline->unwinder);
    if (error)
        failure_set(failure, error, "process %d cannot be attached to: %s", session->pid,
                    strerror(-error));
    else
        error = open_capture(pipeline, failure);
    if (!error) {
        error = read_process(pipeline);
        if (error)
            failure_set(failure, error,
                        lacks_descriptors(error)
                            ? "process %d cannot be read: %s; raise `ulimit -n`"
                            : "process %d ended while lprofd attached to it (%s)",
                        session->pid, strerror(-error));
    }
    if (error) {
        pipeline_close(pipeline);
        return error;
    }
    *ret_pipeline = pipeline;
    return 0;
}
