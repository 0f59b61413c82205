/*
 * The whole path of a sample, from the rings to a counted stack. This is the one file that knows
 * all stages; it reads from top to bottom like the drawing in daemon/README.md.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "process/process_check.h"
#include "session/pipeline.h"

#define PIPELINE_NICE (-10)
#define WAIT_NS (20 * NS_PER_MS)
/* Of the memory limit; a chunk more may come on top, and the rest is for counts and symbols. */
#define STACK_MEMORY_SHARE 4
/* While children are followed: a new one is not sampled before it was heard of. */
#define WAIT_FOLLOWING_NS (2 * NS_PER_MS)

/* --- one record after another --- */

static const struct module *find_in_space(void *user, uint64_t ip, uint64_t *ret_vaddr)
{
    return address_space_find(user, ip, ret_vaddr);
}

static void count_module_hit(struct pipeline *pipeline)
{
    const struct module *kernel = module_table_kernel(pipeline->session->modules);
    for (size_t i = 0; i < pipeline->stack.count; i++) {
        uint32_t module = pipeline->stack.frames[i].module;
        if (module == 0 || module == kernel->id)
            continue;
        if (array_reserve(&pipeline->module_hits, &pipeline->module_hit_capacity,
                          (size_t)module + 1, sizeof(uint64_t)))
            return;
        while (pipeline->module_hit_count <= module)
            pipeline->module_hits[pipeline->module_hit_count++] = 0;
        pipeline->module_hits[module]++;
        return;
    }
}

/*
 * Seals the open bucket if `time_ns` (since the start) lies beyond its end. When that is long past,
 * what is counted so far still belongs where it was: the rest is a bucket without samples.
 */
static int seal_until(struct pipeline *pipeline, uint64_t time_ns)
{
    uint64_t end_ns = time_ns / BUCKET_NS * BUCKET_NS;
    uint64_t open_end_ns = (pipeline->sealed_ns / BUCKET_NS + 1) * BUCKET_NS;
    int error = end_ns > open_end_ns ? pipeline_seal(pipeline, open_end_ns) : 0;
    return error || end_ns <= pipeline->sealed_ns ? error : pipeline_seal(pipeline, end_ns);
}

/* When stacks have used up their share of memory, new ones are cut to what self time needs. */
static void keep_leaf_only(struct pipeline *pipeline)
{
    struct raw_stack *stack = &pipeline->stack;
    if (stack->count < 2)
        return;
    stack->end = STACK_END_MEMORY_LIMIT;
    stack->by_frame_pointer = false;
    stack->count = 2;
    stack->frames[1] = (struct raw_frame){.vaddr = STACK_END_MEMORY_LIMIT};
}

static int handle_sample(struct pipeline *pipeline, struct process *process,
                         const struct sample *sample)
{
    struct session *session = pipeline->session;
    if (process->waiting_for_exec || sample->time_ns < pipeline->started_ns)
        return 0;
    int error = seal_until(pipeline, sample->time_ns - pipeline->started_ns);
    if (error)
        return error;

    struct unwind_space space = {find_in_space, process->space,
                                 module_table_kernel(session->modules),
                                 address_space_generation(process->space)};
    struct raw_stack *stack = &pipeline->stack;
    unwinder_run(pipeline->unwinder, sample, &space, stack);
    if (stack_trie_bytes(session->trie) > session->memory_limit_bytes / STACK_MEMORY_SHARE)
        keep_leaf_only(pipeline);
    pipeline->counts.ended[stack->end]++;
    pipeline->counts.truncated += stack->end == STACK_END_TRUNCATED;
    pipeline->counts.to_root += stack->end == STACK_END_ROOT;
    pipeline->counts.by_frame_pointer += stack->by_frame_pointer;

    uint32_t node = 0, thread = 0;
    error = stack_trie_add(session->trie, stack->frames, stack->count, &node);
    if (!error)
        error = thread_table_find(pipeline->threads, sample->pid, sample->tid, &thread);
    if (!error)
        error = bucket_store_count(session->buckets, node, thread, sample->weight_ns);
    if (error)
        return error;

    thread_table_sample(pipeline->threads, thread, sample->weight_ns);
    count_module_hit(pipeline);
    process->sampled_ns += sample->weight_ns;
    pipeline->counts.hits++;
    pipeline->counts.sampled_ns += sample->weight_ns;
    return 0;
}

static void describe_target(struct session *session)
{
    _cleanup_free_ char *command = NULL, *executable = NULL;
    if (process_describe(session->pid, &command, &executable))
        return;
    pthread_mutex_lock(&session->mutex);
    free(session->command);
    free(session->executable);
    session->command = take_pointer(command);
    session->executable = take_pointer(executable);
    pthread_mutex_unlock(&session->mutex);
}

static void handle_exec(struct pipeline *pipeline, struct process *process, uint64_t time_ns)
{
    if (process->waiting_for_exec) { /* the launched command begins */
        pipeline->started_ns = time_ns;
        pthread_mutex_lock(&pipeline->session->mutex);
        clock_format_utc(pipeline->session->started_at);
        pthread_mutex_unlock(&pipeline->session->mutex);
    }
    process_exec(process, time_ns);
}

/* A new thread, or a child that is to be followed; `parent` is NULL for those of others. */
static int handle_fork(struct pipeline *pipeline, const struct process *parent,
                       const struct record *record)
{
    uint32_t thread = 0;
    int error = 0;
    if (!parent)
        return 0;
    if (record->pid != record->parent_pid) {
        const struct process *known = process_tree_find(pipeline->processes, record->pid);
        if (!pipeline->session->follow ||
            (known && !known->ended && record->time_ns < known->maps_read_ns))
            return 0; /* not wanted, or found in /proc already */
        error = process_tree_fork(pipeline->processes, parent, record->pid);
        if (!error && pipeline->capture->ops->add_process)
            pipeline->capture->ops->add_process(pipeline->capture, record->pid);
    }
    return error ? error : thread_table_find(pipeline->threads, record->pid, record->tid, &thread);
}

static void handle_exit(struct pipeline *pipeline, struct process *process,
                        const struct record *record)
{
    thread_table_exit(pipeline->threads, record->tid);
    /* The main thread may end before the others do. The target's own end is told by its pidfd. */
    if (record->pid != pipeline->session->pid &&
        !thread_table_has_living(pipeline->threads, record->pid))
        process_end(process, record->time_ns);
}

/* A record of one of our processes. */
static int handle_own_record(struct pipeline *pipeline, struct process *process,
                             const struct record *record)
{
    switch (record->type) {
    case RECORD_SAMPLE:
        return handle_sample(pipeline, process, &record->sample);
    case RECORD_MAPPING:
        return record->time_ns < process->maps_read_ns
                   ? 0
                   : address_space_map(process->space, &record->mapping);
    case RECORD_COMM:
        thread_table_rename(pipeline->threads, record->tid, record->comm.name);
        if (record->comm.is_exec && record->time_ns >= process->maps_read_ns)
            handle_exec(pipeline, process, record->time_ns);
        return 0;
    case RECORD_EXIT:
        handle_exit(pipeline, process, record);
        return 0;
    case RECORD_MAPS_STALE:
        return address_space_read(process->space, record->pid);
    default:
        return 0;
    }
}

/* What both captures tell while one replaces the other is heard once. */
static bool is_heard(const struct pipeline *pipeline, const struct record *record)
{
    switch (record->type) {
    case RECORD_MAPPING:
    case RECORD_COMM:
    case RECORD_FORK:
    case RECORD_EXIT:
        return record->time_ns > pipeline->heard_from_ns &&
               record->time_ns <= pipeline->heard_until_ns;
    default:
        return true;
    }
}

static int handle_record(struct pipeline *pipeline, const struct record *record)
{
    struct process *process;
    if (!is_heard(pipeline, record))
        return 0;
    switch (record->type) {
    case RECORD_LOST:
        pipeline->counts.lost += record->lost_count;
        return 0;
    case RECORD_THROTTLED:
        pipeline->counts.throttled++;
        return 0;
    case RECORD_FORK:
        return handle_fork(pipeline, process_tree_find(pipeline->processes, record->parent_pid),
                           record);
    default:
        process = process_tree_find(pipeline->processes, record->pid);
        return process ? handle_own_record(pipeline, process, record) : 0;
    }
}

static void on_record(void *user, const struct record *record)
{
    struct pipeline *pipeline = user;
    if (pipeline->error)
        return;
    int error = handle_record(pipeline, record);
    if (lacks_descriptors(error))
        pipeline->counts.descriptor_failures++;   /* what could not be read is unknown; told */
    else if (error != -ENOENT && error != -ESRCH) /* the process ended while /proc was read */
        pipeline->error = error;
}

/* --- the loop --- */

/* The target, and whichever of its children are followed, have ended. */
static bool target_ended(struct pipeline *pipeline)
{
    struct pollfd poll_fd = {.fd = pipeline->pid_fd, .events = POLLIN};
    if (poll(&poll_fd, 1, 0) <= 0)
        return false;
    struct process *target = process_tree_find(pipeline->processes, pipeline->session->pid);
    if (target)
        process_end(target, clock_monotonic_ns());
    return process_tree_living(pipeline->processes) == 0;
}

/* What was used until now does not count; samples come from here on. */
static int start_sampling(struct pipeline *pipeline)
{
    if (pipeline->threads_read.at_ns) /* at first, the threads were read a moment ago */
        pipeline_account_all(pipeline);
    else
        process_tree_account(pipeline->processes, false, clock_monotonic_ns());
    int error = pipeline->capture->ops->set_enabled(pipeline->capture, true);
    pipeline->sampling = !error;
    return error;
}

/* Takes what is left in the rings before the accounts are closed. */
static int stop_sampling(struct pipeline *pipeline)
{
    if (!pipeline->sampling)
        return 0;
    int error = pipeline->capture->ops->set_enabled(pipeline->capture, false);
    pipeline->capture->ops->drain(pipeline->capture, true, on_record, pipeline);
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
    uint32_t count = stack_trie_location_count(session->trie);
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

/* Turns until sampling is over; returns the state that the session is in then. */
static enum session_state turn(struct pipeline *pipeline)
{
    uint64_t wait_ns = pipeline->session->follow ? WAIT_FOLLOWING_NS : WAIT_NS;
    for (;;) {
        struct capture *capture = pipeline->capture; /* which may be another one each time */
        int error = capture->ops->wait(capture, wait_ns);
        bool over = handle_request(pipeline);
        uint64_t now_ns = clock_monotonic_ns();
        bool ended = target_ended(pipeline);
        if (!error)
            error = capture->ops->drain(capture, false, on_record, pipeline);
        if (lacks_descriptors(error)) {
            pipeline->counts.descriptor_failures++;
            error = 0;
        }
        if (!error && !ended && !over)
            pipeline_fit_stacks(pipeline, on_record);
        tell_new_locations(pipeline);
        pipeline_account(pipeline, now_ns);
        if (!pipeline->error)
            pipeline->error = error;
        if (pipeline->error)
            return SESSION_DETACHED;
        if (ended)
            return SESSION_EXITED;
        if (over || duration_is_over(pipeline, now_ns))
            return SESSION_DETACHED;
        renew_compiled_code(pipeline);
        if (process_tree_look_for_vdso(pipeline->processes))
            describe_target(pipeline->session);
        /* Records younger than this may still come: their bucket stays open. */
        uint64_t settled_ns = now_ns - 2 * NS_PER_MS;
        if (settled_ns > pipeline->started_ns && !waits_for_exec(pipeline))
            pipeline->error = seal_until(pipeline, settled_ns - pipeline->started_ns);
    }
}

/* Stops sampling and seals what is left. */
static void finish(struct pipeline *pipeline, enum session_state state)
{
    stop_sampling(pipeline);
    if (state == SESSION_EXITED)
        thread_table_exit_all(pipeline->threads, 0);
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
    pthread_mutex_lock(&session->mutex);
    session->failure = failure;
    session->drained = true;
    pthread_cond_signal(&session->located);
    pthread_mutex_unlock(&session->mutex);
    session_set_state(session, state);
    return NULL;
}
