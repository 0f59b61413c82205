/* The pipeline thread: opens, samples until it is over, does what is asked for, closes. */
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "session/launch.h"
#include "session/pipeline.h"

#define PIPELINE_NICE (-10)
#define WAIT_NS (20 * NS_PER_MS)
/* While children are followed: a new one is not sampled before it was heard of. */
#define WAIT_FOLLOWING_NS (2 * NS_PER_MS)

/* The target, and whichever of its children are followed, have ended. */
static bool target_ended(struct pipeline *pipeline)
{
    struct pollfd poll_fd = {.fd = pipeline->pid_fd, .events = POLLIN};
    if (poll(&poll_fd, 1, 0) <= 0)
        return false;
    struct process *target = process_tree_find(pipeline->processes, pipeline->session->pid);
    if (target && !target->ended) {
        process_tree_end(pipeline->processes, target, clock_monotonic_ns());
        /* Nothing of it is read any more: not of threads alone either. */
        thread_table_exit_all(pipeline->threads, target->pid);
    }
    return process_tree_living(pipeline->processes) == 0;
}

/* Processes and threads that began in the pause are known before their time counts. */
static int end_pause(struct pipeline *pipeline)
{
    int error = pipeline_look_again(pipeline);
    if (!error)
        error = pipeline_find_threads(pipeline);
    pipeline_account_all(pipeline);
    return error;
}

/* What was used until now does not count; samples come from here on. */
static int start_sampling(struct pipeline *pipeline)
{
    int error = 0;
    if (pipeline->threads_read.at_ns) /* at first, the threads were read a moment ago */
        error = end_pause(pipeline);
    else
        process_tree_account(pipeline->processes, false, clock_monotonic_ns());
    if (!error)
        error = pipeline->capture->ops->set_enabled(pipeline->capture, true);
    pipeline->sampling = !error;
    return error;
}

/* Takes what is left in the rings before the accounts are closed. */
static int stop_sampling(struct pipeline *pipeline)
{
    if (!pipeline->sampling)
        return 0;
    int error = pipeline->capture->ops->set_enabled(pipeline->capture, false);
    pipeline->capture->ops->drain(pipeline->capture, true, pipeline_on_record, pipeline);
    pipeline_account_all(pipeline);
    pipeline->sampling = false;
    return error;
}

/* What was asked for last; *ret_ticket says which request that is. */
static enum session_request take_request(struct session *session, uint64_t *ret_ticket)
{
    pthread_mutex_lock(&session->mutex);
    enum session_request request = session->stopping ? REQUEST_DETACH : session->request;
    session->request = REQUEST_NONE;
    *ret_ticket = session->asked;
    pthread_mutex_unlock(&session->mutex);
    return request;
}

static void answer_request(struct session *session, uint64_t ticket, int error,
                           enum session_state state)
{
    pthread_mutex_lock(&session->mutex);
    session->answered = ticket;
    session->answer = error;
    if (!error)
        session->state = state;
    session->epoch++;
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->mutex);
}

/* The launched command has not begun: time does not count yet. */
static bool waits_for_exec(struct pipeline *pipeline)
{
    const struct process *target = process_tree_find(pipeline->processes, pipeline->session->pid);
    return target && target->waiting_for_exec;
}

/* Seals all that was counted, up to now. */
static int seal_rest(struct pipeline *pipeline)
{
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t end_ns = now_ns > pipeline->started_ns ? now_ns - pipeline->started_ns : 1;
    if (end_ns <= pipeline->sealed_ns)
        end_ns = pipeline->sealed_ns + 1;
    return pipeline_seal(pipeline, end_ns);
}

/* Whoever sees the state paused sees the last numbers, too. */
static int pause_sampling(struct pipeline *pipeline)
{
    int error = stop_sampling(pipeline);
    return error || waits_for_exec(pipeline) ? error : seal_rest(pipeline);
}

/* Does what was asked for. Returns true when sampling is over. */
static bool handle_request(struct pipeline *pipeline)
{
    struct session *session = pipeline->session;
    uint64_t ticket = 0;
    enum session_request request = take_request(session, &ticket);
    if (request == REQUEST_PAUSE)
        answer_request(session, ticket, pause_sampling(pipeline), SESSION_PAUSED);
    else if (request == REQUEST_RESUME)
        answer_request(session, ticket, start_sampling(pipeline), SESSION_RUNNING);
    return request == REQUEST_DETACH;
}

static bool duration_is_over(const struct pipeline *pipeline, uint64_t now_ns)
{
    uint64_t limit_ns = pipeline->session->duration_limit_ns;
    return limit_ns && now_ns - pipeline->started_ns >= limit_ns;
}

/* New code was seen: the symbol thread need not look for it all the time. */
static void tell_new_locations(struct pipeline *pipeline)
{
    struct session *session = pipeline->session;
    uint32_t count = stack_locations_count(session->locations);
    if (count == pipeline->told_locations)
        return;
    pipeline->told_locations = count;
    pthread_mutex_lock(&session->mutex);
    pthread_cond_signal(&session->located);
    pthread_mutex_unlock(&session->mutex);
}

/* Compiled code was replaced: its addresses mean something else in the samples to come. */
static void renew_compiled_code(struct pipeline *pipeline)
{
    struct session *session = pipeline->session;
    pthread_mutex_lock(&session->mutex);
    const struct target *target = session->replaced;
    pthread_mutex_unlock(&session->mutex);
    if (!target || process_tree_renew(pipeline->processes, target))
        return;
    pthread_mutex_lock(&session->mutex);
    session->replaced = NULL;
    pthread_mutex_unlock(&session->mutex);
}

/* In whole seconds, so that not every turn tells something new. */
static void tell_behind(struct pipeline *pipeline, uint64_t now_ns)
{
    struct session *session = pipeline->session;
    uint64_t behind_s = (now_ns - pipeline_heard_until(pipeline, now_ns)) / NS_PER_SECOND;
    if (behind_s == session->behind_s) /* nobody else changes it */
        return;
    pthread_mutex_lock(&session->mutex);
    session->behind_s = behind_s;
    session->epoch++;
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->mutex);
}

/* Passes, and is told: sampling goes on with what there is. */
static int count_shortage(struct pipeline *pipeline, int error)
{
    if (lacks_descriptors(error))
        pipeline->counts.descriptor_failures++;
    else if (error == -ENOBUFS)
        pipeline->counts.memory_failures++;
    else
        return error;
    return 0;
}

/* Takes what has come in, for a limited time. */
static int hear(struct pipeline *pipeline)
{
    struct capture *capture = pipeline->capture;
    int error = capture->ops->drain(capture, false, pipeline_on_record, pipeline);
    if (!error && !pipeline->ended_ns)
        error = pipeline_catch_up(pipeline);
    return count_shortage(pipeline, error);
}

/* All has ended, and the records up to then were heard. */
static bool is_at_end(const struct pipeline *pipeline, uint64_t now_ns)
{
    return pipeline->ended_ns && pipeline_heard_until(pipeline, now_ns) >= pipeline->ended_ns;
}

static void seal_settled(struct pipeline *pipeline, uint64_t now_ns)
{
    /* Records younger than this may still come: their bucket stays open. */
    uint64_t settled_ns = pipeline_heard_until(pipeline, now_ns - 2 * NS_PER_MS);
    if (settled_ns > pipeline->started_ns && !waits_for_exec(pipeline))
        pipeline->error = pipeline_seal_until(pipeline, settled_ns - pipeline->started_ns);
}

/* Turns until sampling is over; returns the state that the session is in then. */
static enum session_state turn(struct pipeline *pipeline)
{
    uint64_t wait_ns = pipeline->session->follow ? WAIT_FOLLOWING_NS : WAIT_NS;
    for (;;) {
        struct capture *capture = pipeline->capture; /* which may be another one each time */
        int error = capture->ops->wait(capture, capture->left_ns ? 0 : wait_ns);
        bool over = handle_request(pipeline);
        uint64_t now_ns = clock_monotonic_ns();
        if (!pipeline->ended_ns && target_ended(pipeline))
            pipeline->ended_ns = now_ns;
        if (!error)
            error = hear(pipeline);
        if (!error && !pipeline->ended_ns && !over)
            pipeline_fit_stacks(pipeline);
        tell_new_locations(pipeline);
        tell_behind(pipeline, now_ns);
        pipeline_account(pipeline, now_ns);
        if (!pipeline->error)
            pipeline->error = error;
        if (pipeline->error)
            return SESSION_DETACHED;
        if (is_at_end(pipeline, now_ns) || (pipeline->ended_ns && over))
            return SESSION_EXITED;
        if (over || duration_is_over(pipeline, now_ns))
            return SESSION_DETACHED;
        renew_compiled_code(pipeline);
        if (process_tree_look_at_images(pipeline->processes))
            pipeline_describe_target(pipeline->session);
        seal_settled(pipeline, now_ns);
    }
}

/* Stops sampling and seals what is left. */
static void finish(struct pipeline *pipeline, enum session_state state)
{
    stop_sampling(pipeline);
    if (state == SESSION_EXITED)
        thread_table_exit_all(pipeline->threads, 0);
    tell_behind(pipeline, 0);
    (void)seal_rest(pipeline);
}

/* Switches sampling on and lets a launched child go. */
static int pipeline_start(struct pipeline *pipeline, struct failure *failure)
{
    struct session *session = pipeline->session;
    pipeline->started_ns = clock_monotonic_ns();
    pipeline->observed_ns = pipeline->started_ns;
    pipeline->daemon_cpu_ns = clock_process_cpu_ns();
    int error = start_sampling(pipeline);
    pipeline->threads_read.at_ns = pipeline->started_ns;
    if (!error && cancel_is_wanted(&session->attach_cancel))
        error = -ECANCELED; /* a launched command is not let go */
    if (error)
        return failure_set(failure, error, "sampling process %d cannot be switched on: %s",
                           session->pid, strerror(-error));
    pthread_mutex_lock(&session->mutex);
    clock_format_utc(session->started_at);
    pthread_mutex_unlock(&session->mutex);
    if (session->go_fd >= 0)
        close(take_fd(&session->go_fd));
    return 0;
}

/*
 * Comes before its busy target's threads, if that is allowed: it needs little CPU time, but what it
 * reads too late is lost.
 */
static void raise_priority(void)
{
    setpriority(PRIO_PROCESS, (id_t)gettid(), PIPELINE_NICE); /* of this thread only (man page) */
}

void *pipeline_main(void *user)
{
    struct session *session = user;
    raise_priority();
    struct pipeline *pipeline = NULL;
    struct failure failure = {0};
    enum session_state state = SESSION_DETACHED;
    int error = pipeline_open(session, &pipeline, &failure);
    if (!error) {
        error = pipeline_start(pipeline, &failure);
        if (!error) {
            failure = (struct failure){0}; /* a backend that was refused is no failure now */
            session_set_state(session, SESSION_RUNNING);
            state = turn(pipeline);
            finish(pipeline, state);
            if (pipeline->error)
                failure_set(&failure, pipeline->error, "sampling stopped: %s",
                            strerror(-pipeline->error));
        }
        pipeline_close(pipeline);
    }
    if (session->launched && state == SESSION_EXITED)
        waitpid(session->pid, NULL, 0);
    else if (session->launched && session->go_fd < 0)
        launch_reap(session->pid);
    pthread_mutex_lock(&session->mutex);
    session->failure = failure;
    session->drained = true;
    pthread_cond_signal(&session->located);
    pthread_mutex_unlock(&session->mutex);
    session_set_state(session, state);
    return NULL;
}
