/* The life of a session: start, pause, resume, detach, end. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "process/process_check.h"
#include "session/fetched.h"
#include "session/launch.h"
#include "session/session_private.h"

static const char *const state_names[] = {
    [SESSION_ATTACHING] = "attaching", [SESSION_RUNNING] = "running",   [SESSION_PAUSED] = "paused",
    [SESSION_EXITED] = "exited",       [SESSION_DETACHED] = "detached", [SESSION_LOADED] = "loaded",
};

const char *session_state_name(enum session_state state)
{
    return (size_t)state < array_length(state_names) ? state_names[state] : "unknown";
}

bool session_state_is_live(enum session_state state)
{
    return state == SESSION_ATTACHING || state == SESSION_RUNNING || state == SESSION_PAUSED;
}

void session_set_state(struct session *session, enum session_state state)
{
    pthread_mutex_lock(&session->mutex);
    session->state = state;
    session->epoch++;
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->mutex);
}

static void free_source_paths(struct session *session)
{
    for (size_t i = 0; i < session->source_path_count; i++) {
        free(session->source_paths[i].old_prefix);
        free(session->source_paths[i].new_prefix);
    }
    free(session->source_paths);
}

static void end_child(struct session *session)
{
    if (session->go_fd >= 0) {
        /* It never got its go: closing the pipe would let it run unprofiled. */
        kill(session->pid, SIGKILL);
        waitpid(session->pid, NULL, 0);
        close(session->go_fd);
    }
}

static void session_free(struct session *session)
{
    pthread_mutex_lock(&session->mutex);
    session->stopping = true;
    pthread_cond_broadcast(&session->changed);
    pthread_cond_signal(&session->located);
    pthread_mutex_unlock(&session->mutex);
    cancel_want(&session->attach_cancel);
    if (session->symbols)
        symbols_cancel(session->symbols);
    if (session->pipeline_started)
        pthread_join(session->pipeline_thread, NULL);
    if (session->symbols_started)
        pthread_join(session->symbol_thread, NULL);
    end_child(session);

    fetcher_free(session->fetcher);
    source_checks_destroy(&session->source_checks);
    kept_sources_destroy(&session->kept_sources);
    symbols_free(session->symbols);
    bucket_store_free(session->buckets);
    stack_trie_unref(session->trie);
    stack_locations_unref(session->locations);
    module_table_free(session->modules);
    target_free(session->target);
    if (session->saved)
        saved_profile_clear(session->saved);
    free(session->saved);
    free_source_paths(session);
    free(session->published.threads);
    free(session->published.module_hits);
    free(session->module_lacks_debug);
    for (size_t i = 0; i < session->module_problem_count; i++)
        free(session->module_problems[i]);
    free(session->module_problems);
    free(session->cache_problem);
    free(session->command);
    free(session->executable);
    free(session->event_wanted);
    free(session->backend_wanted);
    pthread_cond_destroy(&session->located);
    pthread_cond_destroy(&session->changed);
    pthread_mutex_destroy(&session->mutex);
    free(session);
    malloc_trim(0); /* its megabytes lie scattered over the heaps of its threads */
}

struct session *session_ref(struct session *session)
{
    atomic_fetch_add(&session->references, 1);
    return session;
}

void session_unref(struct session *session)
{
    if (session && atomic_fetch_sub(&session->references, 1) == 1)
        session_free(session);
}

static void cleanup_session(struct session **session)
{
    session_unref(*session);
}

struct session *session_alloc(void)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    atomic_init(&session->references, 1);
    session->go_fd = -1;
    source_checks_init(&session->source_checks);
    kept_sources_init(&session->kept_sources);
    session->backend = session->backend_reason = session->event = "";
    clock_format_utc(session->started_at);
    pthread_mutex_init(&session->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&session->changed, &attributes);
    pthread_cond_init(&session->located, &attributes);
    pthread_condattr_destroy(&attributes);
    return session;
}

static int copy_source_paths(struct session *session, const struct session_options *options)
{
    session->source_paths = calloc(options->source_path_count + 1, sizeof(struct source_path));
    if (!session->source_paths)
        return -ENOMEM;
    for (size_t i = 0; i < options->source_path_count; i++) {
        struct source_path *copy = &session->source_paths[session->source_path_count++];
        copy->old_prefix = strdup(options->source_paths[i].old_prefix);
        copy->new_prefix = strdup(options->source_paths[i].new_prefix);
        if (!copy->old_prefix || !copy->new_prefix)
            return -ENOMEM;
    }
    return 0;
}

int session_copy_options(struct session *session, const struct session_options *options)
{
    session->frequency_hz =
        options->frequency_hz ? options->frequency_hz : SESSION_FREQUENCY_DEFAULT_HZ;
    session->stack_is_fixed = options->stack_bytes;
    session->stack_bytes =
        options->stack_bytes ? options->stack_bytes : SESSION_STACK_DEFAULT_BYTES;
    session->memory_limit_bytes =
        options->memory_limit_bytes ? options->memory_limit_bytes : SESSION_MEMORY_DEFAULT_BYTES;
    session->follow = options->follow;
    session->duration_limit_ns = options->duration_ns;
    session->event_wanted = strdup(options->event ? options->event : "auto");
    session->backend_wanted = strdup(options->backend ? options->backend : "auto");
    if (!session->event_wanted || !session->backend_wanted)
        return -ENOMEM;
    return copy_source_paths(session, options);
}

static char *join_command(char *const *command)
{
    size_t length = 1;
    for (size_t i = 0; command[i]; i++)
        length += strlen(command[i]) + 1;
    char *joined = calloc(length, 1), *cursor = joined;
    for (size_t i = 0; joined && command[i]; i++) {
        if (i)
            *cursor++ = ' ';
        cursor = stpcpy(cursor, command[i]);
    }
    return joined;
}

/* Finds or makes the process, and everything that its samples will be kept in. */
static int open_stages(struct session *session, const struct session_options *options,
                       struct failure *failure)
{
    int error;
    if (options->command) {
        error = launch_command(options->command, &session->pid, &session->go_fd, failure);
        session->launched = !error;
        session->command = join_command(options->command);
        session->executable = strdup(options->command[0]);
    } else {
        session->pid = options->pid;
        error = process_check(session->pid, failure);
        if (!error)
            process_describe(session->pid, &session->command, &session->executable);
    }
    if (error)
        return error;
    error = target_open(session->pid, &session->target);
    if (error)
        return failure_set(failure, error, "process %d cannot be looked into: %s%s", session->pid,
                           strerror(-error),
                           error == -ESRCH                       ? " (it has just ended)"
                           : error == -EPERM || error == -EACCES ? ": run lprofd as root"
                                                                 : "");
    error = module_table_new(session->target, &session->modules);
    if (!error)
        error = stack_locations_new(&session->locations);
    if (!error)
        error = stack_trie_new(session->locations, &session->trie);
    if (!error)
        error = bucket_store_new((size_t)session->memory_limit_bytes, &session->buckets);
    if (!error)
        error = symbols_new(&session->symbols);
    if (!error && options->symbol_cache)
        error = symbols_use_cache(session->symbols, options->symbol_cache);
    if (!error)
        error = session_start_fetcher(session);
    return error ? failure_set(failure, error, "out of memory") : 0;
}

static int start_threads(struct session *session, struct failure *failure)
{
    if (pthread_create(&session->pipeline_thread, NULL, pipeline_main, session))
        return failure_set(failure, -EAGAIN, "no thread could be started");
    session->pipeline_started = true;
    if (pthread_create(&session->symbol_thread, NULL, symbol_thread_main, session))
        return failure_set(failure, -EAGAIN, "no thread could be started");
    session->symbols_started = true;
    return 0;
}

int session_wait_attached(struct session *session, uint64_t timeout_ns, struct failure *ret_failure)
{
    struct timespec deadline = clock_deadline(timeout_ns);
    int late = 0;
    pthread_mutex_lock(&session->mutex);
    while (session->state == SESSION_ATTACHING && !late)
        late = pthread_cond_timedwait(&session->changed, &session->mutex, &deadline);
    int error = session->state == SESSION_ATTACHING ? -EINPROGRESS : session->failure.error;
    if (session->failure.error)
        *ret_failure = session->failure;
    pthread_mutex_unlock(&session->mutex);
    return error;
}

int session_start(const struct session_options *options, struct session **ret_session,
                  struct failure *ret_failure)
{
    _cleanup_(cleanup_session) struct session *session = session_alloc();
    if (!session || session_copy_options(session, options))
        return failure_set(ret_failure, -ENOMEM, "out of memory");
    int error = open_stages(session, options, ret_failure);
    if (!error)
        error = start_threads(session, ret_failure);
    if (error)
        return error;
    *ret_session = take_pointer(session);
    return 0;
}

/*
 * Asks the pipeline for something and waits until it is done, or can no longer be. The state may be
 * another one by then: somebody else may have asked for that.
 */
static int ask(struct session *session, enum session_request request, enum session_state wanted)
{
    int error = 0;
    pthread_mutex_lock(&session->mutex);
    if (session->state == wanted) {
        error = -EALREADY;
    } else if (!session_state_is_live(session->state)) {
        error = -ESRCH;
    } else {
        session->request = request;
        uint64_t ticket = ++session->asked;
        while (session_state_is_live(session->state) && session->answered < ticket)
            pthread_cond_wait(&session->changed, &session->mutex);
        if (session_state_is_live(session->state))
            error = session->answer;
        else if (session->state != wanted)
            error = -ESRCH;
    }
    pthread_mutex_unlock(&session->mutex);
    return error;
}

int session_pause(struct session *session)
{
    return ask(session, REQUEST_PAUSE, SESSION_PAUSED);
}

int session_resume(struct session *session)
{
    return ask(session, REQUEST_RESUME, SESSION_RUNNING);
}

int session_detach(struct session *session)
{
    return ask(session, REQUEST_DETACH, SESSION_DETACHED);
}

bool session_wait(struct session *session, uint64_t timeout_ns)
{
    struct timespec deadline = clock_deadline(timeout_ns);
    int late = 0;
    pthread_mutex_lock(&session->mutex);
    while (session_state_is_live(session->state) && !late)
        late = pthread_cond_timedwait(&session->changed, &session->mutex, &deadline);
    bool ended = !session_state_is_live(session->state);
    pthread_mutex_unlock(&session->mutex);
    return ended;
}

/* Needs the mutex. */
static bool symbols_are_done(const struct session *session)
{
    return session->locations_done >= stack_locations_count(session->locations) &&
           !session->fetching;
}

bool session_wait_symbols(struct session *session, uint64_t timeout_ns)
{
    struct timespec deadline = clock_deadline(timeout_ns);
    int late = 0;
    pthread_mutex_lock(&session->mutex);
    while (!symbols_are_done(session) && !late)
        late = pthread_cond_timedwait(&session->changed, &session->mutex, &deadline);
    bool done = symbols_are_done(session);
    pthread_mutex_unlock(&session->mutex);
    return done;
}
