/* How much is copied of each stack: more, where many of the target's are deeper than that. */
#include <errno.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "process/descendants.h"
#include "session/pipeline.h"

/* Larger copies cost the target some microseconds a sample: a few truncated stacks are no reason.
 */
#define TRUNCATED_MIN 10
#define TRUNCATED_PERCENT 1
#define WINDOW_HITS 1000
/* A record gets its time stamp before it is published. */
#define SETTLING_NS (2 * NS_PER_MS)

static bool are_truncated(struct pipeline *pipeline)
{
    uint64_t hits = pipeline->counts.hits - pipeline->stack_window.hits;
    uint64_t truncated = pipeline->counts.truncated - pipeline->stack_window.truncated;
    if (truncated >= TRUNCATED_MIN && truncated * 100 >= hits * TRUNCATED_PERCENT)
        return true;
    if (hits >= WINDOW_HITS)
        pipeline->stack_window = pipeline->counts;
    return false;
}

/* One that has ended meanwhile, or may not be sampled, is left out as it was at first. */
static int follow(void *user, pid_t pid)
{
    struct capture *capture = user;
    return capture_pass_over(capture->ops->add_running(capture, pid));
}

/* Those that are followed, and those that they have started and that no record has told of yet. */
static int follow_all(struct pipeline *pipeline, struct capture *capture)
{
    _cleanup_(descendants_clear) struct descendants found = {0};
    if (!pipeline->session->follow || !capture->ops->add_running)
        return 0;
    int error = process_tree_each(pipeline->processes, follow, capture);
    if (!error)
        error = descendants_read(pipeline->session->pid, &found);
    for (size_t i = 0; i < found.count && !error; i++)
        error = follow(capture, found.pids[i]);
    return error;
}

static int open_larger(struct pipeline *pipeline, uint32_t stack_bytes,
                       struct capture **ret_capture)
{
    const struct capture *old = pipeline->capture;
    struct capture_options options = pipeline_capture_options(pipeline->session, stack_bytes);
    struct capture *capture = NULL;
    const char *reason;
    struct failure failure;
    options.event = old->event;
    if (!old->ops->may_reopen || !old->ops->may_reopen(&options))
        return -ENOTSUP;
    int error = capture_open(old->ops->name, &options, &capture, &reason, &failure);
    if (!error && capture->stack_bytes < stack_bytes)
        error = -ENOBUFS;
    if (!error)
        error = follow_all(pipeline, capture);
    if (!error)
        error = capture->ops->set_enabled(capture, true);
    if (!error) /* of what began meanwhile, only the old one may have told */
        error = follow_all(pipeline, capture);
    if (error)
        old->ops->close(capture);
    else
        *ret_capture = capture;
    return error;
}

/* The new one samples already: nothing falls in between. */
static void replace(struct pipeline *pipeline, struct capture *capture)
{
    struct capture *old = pipeline->capture;
    uint64_t now_ns = clock_monotonic_ns();
    pipeline->capture = capture; /* children that are told of from here on are sampled by it */
    pipeline->heard_until_ns = now_ns;
    old->ops->set_enabled(old, false);
    nanosleep(&(struct timespec){.tv_nsec = SETTLING_NS}, NULL);
    old->ops->drain(old, true, pipeline_on_record, pipeline);
    pipeline->heard_from_ns = now_ns;
    pipeline->heard_until_ns = UINT64_MAX;
    capture->target_cost_ns += old->target_cost_ns;
    old->ops->close(old);
}

static int copy_more(struct pipeline *pipeline, uint32_t stack_bytes)
{
    struct capture *capture = pipeline->capture;
    if (capture->ops->copy_more)
        return capture->ops->copy_more(capture, stack_bytes);
    int error = open_larger(pipeline, stack_bytes, &capture);
    if (!error)
        replace(pipeline, capture);
    return error;
}

static void note(struct pipeline *pipeline, uint32_t stack_bytes)
{
    struct session *session = pipeline->session;
    uint64_t now_ns = clock_monotonic_ns();
    pipeline->counts.enlarged_ns = now_ns - pipeline->started_ns;
    pipeline->counts.enlarged_hits = pipeline->counts.hits;
    pipeline->counts.enlarged_truncated = pipeline->counts.truncated;
    pipeline->stack_window = pipeline->counts;
    pthread_mutex_lock(&session->mutex);
    session->stack_bytes = stack_bytes;
    session->epoch++;
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->mutex);
}

void pipeline_fit_stacks(struct pipeline *pipeline)
{
    uint32_t stack_bytes = pipeline->session->stack_bytes; /* nobody else changes it */
    if (pipeline->stack_is_final || !pipeline->sampling || !are_truncated(pipeline))
        return;
    stack_bytes =
        stack_bytes * 2 < SESSION_STACK_MAX_BYTES ? stack_bytes * 2 : SESSION_STACK_MAX_BYTES;
    pipeline->stack_is_final = stack_bytes == SESSION_STACK_MAX_BYTES;
    if (copy_more(pipeline, stack_bytes)) {
        pipeline->stack_is_final = true; /* what it samples with goes on as it is */
        return;
    }
    note(pipeline, stack_bytes);
}
