/* What a pipeline stands on: the capture, the target's maps and threads, the unwinder. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/negative_errno.h"
#include "process/descendants.h"
#include "process/process_check.h"
#include "session/pipeline.h"

#define DESCENDANT_LOOKS 4

void pipeline_close(struct pipeline *pipeline)
{
    if (pipeline->capture)
        pipeline->capture->ops->close(pipeline->capture);
    compaction_free(pipeline->compaction);
    unwinder_free(pipeline->unwinder);
    thread_table_free(pipeline->threads);
    process_tree_free(pipeline->processes);
    free(pipeline->module_hits);
    if (pipeline->pid_fd >= 0)
        close(pipeline->pid_fd);
    free(pipeline);
}

struct capture_options pipeline_capture_options(const struct session *session, uint32_t stack_bytes)
{
    return (struct capture_options){
        .pid = session->pid,
        .frequency_hz = session->frequency_hz,
        .stack_bytes = stack_bytes,
        .follow = session->follow,
        .event = session->event_wanted,
        .cancel = &session->attach_cancel,
    };
}

static int open_capture(struct pipeline *pipeline, struct failure *failure)
{
    struct session *session = pipeline->session;
    struct capture_options options = pipeline_capture_options(session, session->stack_bytes);
    const char *reason = "";
    int error =
        capture_open(session->backend_wanted, &options, &pipeline->capture, &reason, failure);
    if (error)
        return error;
    pipeline->stack_is_final |= pipeline->capture->stack_bytes < session->stack_bytes;
    pthread_mutex_lock(&session->mutex);
    session->stack_is_cut = pipeline->capture->stack_bytes < session->stack_bytes;
    session->stack_bytes = pipeline->capture->stack_bytes;
    session->backend = pipeline->capture->ops->name;
    session->backend_reason = reason;
    session->event = pipeline->capture->event;
    pthread_mutex_unlock(&session->mutex);
    return 0;
}

int pipeline_follow(struct pipeline *pipeline, pid_t pid)
{
    const struct capture_ops *ops = pipeline->capture->ops;
    struct failure reason = {0};
    if (pid == getpid() || process_check(pid, &reason) || !ops->add_running)
        return 0;
    int error = ops->add_running(pipeline->capture, pid);
    if (!error)
        error = process_tree_add_running(pipeline->processes, pid);
    if (!error)
        error = thread_table_scan(pipeline->threads, pid, pipeline->sampling);
    return capture_pass_over(error);
}

/* Children that one of them starts meanwhile are told by records, or found by another look. */
static int follow_descendants(struct pipeline *pipeline)
{
    for (int look = 0; look < DESCENDANT_LOOKS; look++) {
        _cleanup_(descendants_clear) struct descendants found = {0};
        bool is_new = false;
        int error = descendants_read(pipeline->session->pid, &found);
        for (size_t i = 0; i < found.count && !error; i++) {
            if (process_tree_find(pipeline->processes, found.pids[i]))
                continue;
            error = pipeline_follow(pipeline, found.pids[i]);
            is_new = true;
        }
        if (error || !is_new)
            return error;
    }
    return 0;
}

/* A launched command that has not begun still has our own mappings. */
static int read_maps_again(void *user, pid_t pid)
{
    struct pipeline *pipeline = user;
    struct process *process = process_tree_find(pipeline->processes, pid);
    if (!process || process->waiting_for_exec)
        return 0;
    int error = address_space_read(process->space, pid);
    process_tree_look_at_width(pipeline->processes, process);
    if (!error && pid == pipeline->session->pid)
        pipeline_describe_target(pipeline->session);
    return capture_pass_over(error);
}

int pipeline_look_again(struct pipeline *pipeline)
{
    int error = process_tree_each(pipeline->processes, read_maps_again, pipeline);
    if (!error && pipeline->session->follow)
        error = follow_descendants(pipeline);
    return capture_pass_over(error);
}

static int find_threads(void *user, pid_t pid)
{
    struct pipeline *pipeline = user;
    return capture_pass_over(thread_table_scan(pipeline->threads, pid, pipeline->sampling));
}

int pipeline_find_threads(struct pipeline *pipeline)
{
    pipeline->names_missed = true;
    return process_tree_each(pipeline->processes, find_threads, pipeline);
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
        error = thread_table_scan(pipeline->threads, session->pid, false);
    if (!error && session->follow && !session->launched)
        error = follow_descendants(pipeline);
    return error;
}

/* Whoever gets its pid later is somebody else: a child that is followed is added again. */
static void stop_sampling(void *user, const struct process *process)
{
    const struct pipeline *pipeline = user;
    const struct target *target = address_space_target(process->space);
    if (pipeline->session->follow && pipeline->capture->ops->remove_process)
        pipeline->capture->ops->remove_process(pipeline->capture, process->pid, target->inner_pid);
}

int pipeline_open(struct session *session, struct pipeline **ret_pipeline, struct failure *failure)
{
    struct pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (!pipeline) {
        failure_set(failure, -ENOMEM, "out of memory");
        return -ENOMEM;
    }
    pipeline->session = session;
    pipeline->stack_is_final = session->stack_is_fixed;
    pipeline->heard_until_ns = UINT64_MAX;
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
        process_tree_tell_ends(pipeline->processes, stop_sampling, pipeline);
        error = read_process(pipeline);
        if (error)
            failure_set(failure, error,
                        lacks_descriptors(error)
                            ? "process %d cannot be read: %s"
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
