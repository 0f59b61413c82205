/*
 * A made-up session for the server's tests: it stands in for session/, query/ and symbol/ at link
 * time. Numbers follow from the time alone, so that every test can compute them.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lprofd/diff.h"
#include "lprofd/profile.h"
#include "lprofd/query.h"
#include "lprofd/session.h"
#include "query/listing.h"

#define FAKE_LINES 250
#define FAKE_FILES 4
#define FAKE_SESSIONS 16

/* /src/primes.c can be read, /src/old.c is stale, the others are missing and denied. */
static const char *const fake_paths[FAKE_FILES + 1] = {"", "/src/primes.c", "/src/old.c",
                                                       "/src/mi\xffssing.c", "/etc/shadow"};
static const int fake_source_errors[FAKE_FILES + 1] = {-ENOENT, 0, 0, -ENOENT, -EACCES};
static const char fake_source[] = "int main(void)\n{\n    return \xe9;\n}\n";

struct session {
    atomic_uint references;
    uint32_t id;
    pid_t pid;
    _Atomic int state;
    _Atomic uint64_t duration_ns;
    _Atomic uint64_t epoch;
    _Atomic uint64_t generation; /* of the symbols */
};

struct session_registry {
    pthread_mutex_t lock;
    struct session *sessions[FAKE_SESSIONS];
    uint32_t count;
};

/* Time passes: all numbers grow. */
static inline void fake_advance(struct session *session, uint64_t ns)
{
    atomic_fetch_add(&session->duration_ns, ns);
    atomic_fetch_add(&session->epoch, 1);
}

static inline struct session *fake_session_new(pid_t pid)
{
    struct session *session = calloc(1, sizeof *session);
    atomic_init(&session->references, 1);
    session->pid = pid;
    session->state = SESSION_RUNNING;
    session->generation = 1;
    fake_advance(session, NS_PER_SECOND);
    return session;
}

const char *session_state_name(enum session_state state)
{
    static const char *const names[] = {"attaching", "running",  "paused",
                                        "exited",    "detached", "loaded"};
    return names[state];
}

int session_start(const struct session_options *options, struct session **ret_session,
                  struct failure *ret_failure)
{
    switch (options->pid) {
    case 404:
        return failure_set(ret_failure, -ESRCH, "cannot attach to 404: no such process");
    case 403:
        return failure_set(ret_failure, -EPERM, "cannot attach to 403: run lprofd as root");
    case 422:
        return failure_set(ret_failure, -ENOTSUP, "cannot attach to 422: it is 32-bit");
    default:
        *ret_session = fake_session_new(options->pid);
        return 0;
    }
}

int session_wait_attached(struct session *session, uint64_t timeout_ns, struct failure *ret_failure)
{
    (void)session, (void)timeout_ns, (void)ret_failure;
    return 0;
}

struct session *session_ref(struct session *session)
{
    atomic_fetch_add(&session->references, 1);
    return session;
}

void session_unref(struct session *session)
{
    if (session && atomic_fetch_sub(&session->references, 1) == 1)
        free(session);
}

static int fake_change(struct session *session, enum session_state from, enum session_state to)
{
    if (session->state == (int)to)
        return -EALREADY;
    if (session->state != (int)from)
        return -ESRCH;
    session->state = (int)to;
    return 0;
}

int session_pause(struct session *session)
{
    return fake_change(session, SESSION_RUNNING, SESSION_PAUSED);
}

int session_resume(struct session *session)
{
    return fake_change(session, SESSION_PAUSED, SESSION_RUNNING);
}

int session_detach(struct session *session)
{
    session->state = SESSION_DETACHED;
    return 0;
}

int session_info(struct session *session, struct session_info *ret_info)
{
    uint64_t duration_ns = session->duration_ns;
    uint64_t samples = duration_ns / NS_PER_MS;
    *ret_info = (struct session_info){
        .id = session->id,
        .state = (enum session_state)session->state,
        .pid = session->pid,
        .command = strdup("./primes \"1000\" \xff"),
        .executable = strdup("/src/primes"),
        .started_at = "2026-01-31T12:00:00Z",
        .duration_ns = duration_ns,
        .backend = "perf-cpu",
        .backend_reason = "",
        .event = "cpu-clock",
        .frequency_hz = 997,
        .stack_bytes = 16384,
        .threads = 2,
        .samples = {.total = samples,
                    .lost = 1,
                    .throttled = 2,
                    .truncated_stacks = 3,
                    .unwound_to_root = samples - 3,
                    .unresolved_frames = 4},
        .sampled_ns = duration_ns,
        .accounted_ns = duration_ns,
        .daemon_cpu_percent = 0.5,
        .rss_bytes = 1 << 20,
        .epoch = session->epoch,
        .warnings = {strdup("1 record was lost")},
        .warning_count = 1,
    };
    return 0;
}

void session_info_free(struct session_info *info)
{
    free(info->command);
    free(info->executable);
    for (size_t i = 0; i < info->warning_count; i++)
        free(info->warnings[i]);
    *info = (struct session_info){0};
}

int session_open_source(struct session *session, uint32_t file, int *ret_fd,
                        enum source_origin *ret_origin)
{
    (void)session;
    if (file > FAKE_FILES || fake_source_errors[file])
        return file > FAKE_FILES ? -ENOENT : fake_source_errors[file];
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return -errno;
    ssize_t written = write(ends[1], fake_source, sizeof fake_source - 1);
    close(ends[1]);
    *ret_fd = ends[0];
    *ret_origin = file == 2 ? SOURCE_STALE : SOURCE_FOUND;
    return written == sizeof fake_source - 1 ? 0 : -EIO;
}

int session_source_path(const struct session *session, uint32_t file, char **ret_path)
{
    (void)session, (void)file;
    *ret_path = strdup("a.c");
    return *ret_path ? 0 : -ENOMEM;
}

int session_fetch_source(struct session *session, uint32_t file)
{
    (void)session;
    (void)file;
    return -ENOENT;
}

int session_registry_new(struct session_registry **ret_registry)
{
    *ret_registry = calloc(1, sizeof **ret_registry);
    pthread_mutex_init(&(*ret_registry)->lock, NULL);
    return 0;
}

void session_registry_free(struct session_registry *registry)
{
    for (uint32_t i = 0; registry && i < registry->count; i++)
        session_unref(registry->sessions[i]);
    free(registry);
}

int session_registry_add(struct session_registry *registry, struct session *session,
                         uint32_t *ret_id)
{
    pthread_mutex_lock(&registry->lock);
    registry->sessions[registry->count] = session_ref(session);
    session->id = *ret_id = ++registry->count;
    pthread_mutex_unlock(&registry->lock);
    return 0;
}

int session_registry_remove(struct session_registry *registry, uint32_t id)
{
    pthread_mutex_lock(&registry->lock);
    struct session *session = id && id <= registry->count ? registry->sessions[id - 1] : NULL;
    if (session)
        registry->sessions[id - 1] = NULL;
    pthread_mutex_unlock(&registry->lock);
    session_unref(session);
    return session ? 0 : -ENOENT;
}

struct session *session_registry_get(struct session_registry *registry, uint32_t id)
{
    pthread_mutex_lock(&registry->lock);
    struct session *session = NULL;
    for (uint32_t i = registry->count; i > 0 && !session; i--)
        if (!id || id == i)
            session = registry->sessions[i - 1];
    if (session)
        session_ref(session);
    pthread_mutex_unlock(&registry->lock);
    return session;
}

size_t session_registry_list(struct session_registry *registry, uint32_t *ret_ids, size_t max)
{
    size_t count = 0;
    pthread_mutex_lock(&registry->lock);
    for (uint32_t i = 0; i < registry->count; i++)
        if (registry->sessions[i]) {
            if (count < max)
                ret_ids[count] = i + 1;
            count++;
        }
    pthread_mutex_unlock(&registry->lock);
    return count;
}
