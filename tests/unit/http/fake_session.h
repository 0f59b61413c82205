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

struct fake_view {
    struct profile_view view;
    struct module module;
    const struct session *session;
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

/* --- profile and symbols ------------------------------------------------------------------------
 */

static const struct profile_thread fake_threads[] = {
    {.tid = 1234, .name = "primes", .state = THREAD_RUNNING},
    {.tid = 1235, .name = "wor\xffker", .state = THREAD_SLEEPING},
};

int session_view(struct session *session, struct profile_view **ret_view)
{
    struct fake_view *fake = calloc(1, sizeof *fake);
    fake->session = session;
    fake->module = (struct module){.id = 1, .kind = MODULE_FILE, .fd = -1};
    fake->module.path = (char *)(uintptr_t) "/src/primes";
    fake->view = (struct profile_view){
        .symbols = (const struct symbols *)session,
        .module_count = 2,
        .threads = fake_threads,
        .thread_count = 2,
        .duration_ns = session->duration_ns,
    };
    *ret_view = &fake->view;
    return 0;
}

void profile_view_free(struct profile_view *view)
{
    free(view);
}

const struct module *profile_view_module(const struct profile_view *view, uint32_t id)
{
    (void)id;
    return &((const struct fake_view *)view)->module;
}

void symbols_lock_shared(const struct symbols *symbols)
{
    (void)symbols;
}

void symbols_unlock(const struct symbols *symbols)
{
    (void)symbols;
}

struct symbol_function symbols_function(const struct symbols *symbols, uint32_t id)
{
    (void)symbols;
    return (struct symbol_function){id == 1 ? "main" : "ope\xffrator<<", 1, id == 1, 1};
}

struct symbol_file symbols_file(const struct symbols *symbols, uint32_t id)
{
    (void)symbols;
    return (struct symbol_file){.path = fake_paths[id], .directory = "/src", .module = 1};
}

uint32_t symbols_file_count(const struct symbols *symbols)
{
    (void)symbols;
    return FAKE_FILES + 1;
}

uint32_t symbols_function_count(const struct symbols *symbols)
{
    (void)symbols;
    return 3;
}

uint64_t symbols_generation(const struct symbols *symbols)
{
    return ((const struct session *)symbols)->generation;
}

struct symbol_jit symbols_jit(const struct symbols *symbols)
{
    (void)symbols;
    return (struct symbol_jit){0};
}

const char *symbol_status_name(enum symbol_status status)
{
    static const char *const names[] = {"pending", "name_only", "line",   "no_debug_info",
                                        "no_line", "no_module", "kernel", "unreadable"};
    return names[status];
}

/* --- queries ------------------------------------------------------------------------------------
 */

/* One sample a millisecond; only lines 1 to 10 of the first file grow with time. */
static inline uint64_t fake_hits(uint32_t row, uint64_t to_ns)
{
    return row < 10 ? to_ns / NS_PER_MS / 20 : 1;
}

static inline struct query_cost fake_cost(uint64_t hits)
{
    return (struct query_cost){hits, hits, hits * NS_PER_MS, hits * NS_PER_MS, 1, 1, 0.5, 1.5};
}

static inline int fake_check(const struct query_options *options)
{
    return options->focus_count && !strcmp(options->focus[0], ";") ? -EINVAL : 0;
}

static inline uint64_t fake_until(const struct profile_view *view,
                                  const struct query_options *options)
{
    return options->to_ns && options->to_ns < view->duration_ns ? options->to_ns
                                                                : view->duration_ns;
}

int query_lines(const struct profile_view *view, const struct query_options *options,
                struct query_lines **ret_lines)
{
    if (fake_check(options))
        return -EINVAL;
    uint64_t until_ns = fake_until(view, options);
    struct query_lines *lines = calloc(1, sizeof *lines);
    lines->rows = calloc(FAKE_LINES, sizeof *lines->rows);
    lines->count = FAKE_LINES;
    for (uint32_t i = 0; i < FAKE_LINES; i++)
        lines->rows[i] = (struct query_line){.file = 1 + i / 100,
                                             .line = 1 + i % 100,
                                             .function = 1 + i % 2,
                                             .cost = fake_cost(fake_hits(i, until_ns))};
    lines->unknown.cost = fake_cost(7);
    lines->unknown.hits_by_status[SYMBOL_NO_DEBUG_INFO] = 7;
    lines->total = (struct query_total){until_ns / NS_PER_MS, until_ns};
    *ret_lines = lines;
    return 0;
}

void query_lines_free(struct query_lines *lines)
{
    if (lines)
        free(lines->rows);
    free(lines);
}

int query_functions(const struct profile_view *view, const struct query_options *options,
                    struct query_functions **ret_functions)
{
    if (fake_check(options))
        return -EINVAL;
    uint64_t until_ns = fake_until(view, options);
    struct query_functions *functions = calloc(1, sizeof *functions);
    functions->rows = calloc(2, sizeof *functions->rows);
    functions->count = 2;
    functions->rows[0] =
        (struct query_function){.function = 1, .cost = fake_cost(until_ns / NS_PER_MS - 100)};
    functions->rows[1] = (struct query_function){.function = 2, .cost = fake_cost(100)};
    functions->total = (struct query_total){until_ns / NS_PER_MS, until_ns};
    *ret_functions = functions;
    return 0;
}

/* The first thread has all of main, and the others the rest. */
int query_functions_by_thread(const struct profile_view *view, const struct query_options *options,
                              struct query_functions **ret_functions)
{
    int error = query_functions(view, options, ret_functions);
    if (!error) {
        (*ret_functions)->rows[1].thread = QUERY_OTHER_THREADS;
        (*ret_functions)->other_threads = 7;
    }
    return error;
}

int query_lines_by_thread(const struct profile_view *view, const struct query_options *options,
                          struct query_lines **ret_lines)
{
    return query_lines(view, options, ret_lines);
}

void query_functions_free(struct query_functions *functions)
{
    if (functions)
        free(functions->rows);
    free(functions);
}

int query_file_functions(const struct profile_view *view, const struct query_options *options,
                         uint32_t file, struct query_file_functions **ret_functions)
{
    (void)view;
    if (fake_check(options))
        return -EINVAL;
    struct query_file_functions *functions = calloc(1, sizeof *functions);
    functions->rows = calloc(2, sizeof *functions->rows);
    functions->count = 2;
    functions->rows[0] = (struct query_file_function){
        .function = 1, .line = file == 1, .first_line = 3, .last_line = 3, .cost = fake_cost(90)};
    functions->rows[1] = (struct query_file_function){
        .function = 2, .first_line = 7, .last_line = 9, .cost = fake_cost(10)};
    *ret_functions = functions;
    return 0;
}

void query_file_functions_free(struct query_file_functions *functions)
{
    if (functions)
        free(functions->rows);
    free(functions);
}

int query_files(const struct profile_view *view, const struct query_options *options,
                struct query_files **ret_files)
{
    if (fake_check(options))
        return -EINVAL;
    (void)view;
    struct query_files *files = calloc(1, sizeof *files);
    files->rows = calloc(FAKE_FILES, sizeof *files->rows);
    files->count = FAKE_FILES;
    for (uint32_t i = 0; i < FAKE_FILES; i++)
        files->rows[i] = (struct query_file){i + 1, fake_cost(100)};
    *ret_files = files;
    return 0;
}

void query_files_free(struct query_files *files)
{
    if (files)
        free(files->rows);
    free(files);
}

int query_flamegraph(const struct profile_view *view, const struct query_options *options,
                     const struct query_flamegraph_options *shape,
                     struct query_flamegraph **ret_graph)
{
    static const uint32_t parents[] = {0, 0, 1, 0};
    static const uint32_t functions[] = {QUERY_ROOT, 1, 2, QUERY_OTHER};
    static const uint64_t self[] = {0, 90, 9, 1};
    static const uint64_t total[] = {100, 99, 9, 1};
    (void)view;
    if (fake_check(options) || (shape->center && !strcmp(shape->center, ";")))
        return -EINVAL;
    struct query_flamegraph *graph = calloc(1, sizeof *graph);
    graph->count = 4;
    graph->total = (struct query_total){100, 100 * NS_PER_MS};
    graph->parent = calloc(4, sizeof(uint32_t));
    graph->function = calloc(4, sizeof(uint32_t));
    graph->folded = calloc(4, sizeof(uint32_t));
    graph->folded[3] = 5;
    graph->file = calloc(4, sizeof(uint32_t));
    graph->line = calloc(4, sizeof(uint32_t));
    graph->self_hits = calloc(4, sizeof(uint64_t));
    graph->total_hits = calloc(4, sizeof(uint64_t));
    graph->self_time_ns = calloc(4, sizeof(uint64_t));
    graph->total_time_ns = calloc(4, sizeof(uint64_t));
    memcpy(graph->parent, parents, sizeof parents);
    memcpy(graph->function, functions, sizeof functions);
    graph->file[1] = 1;
    graph->line[1] = 3;
    memcpy(graph->self_hits, self, sizeof self);
    memcpy(graph->total_hits, total, sizeof total);
    *ret_graph = graph;
    return 0;
}

void query_flamegraph_free(struct query_flamegraph *graph)
{
    if (!graph)
        return;
    free(graph->parent);
    free(graph->function);
    free(graph->folded);
    free(graph->file);
    free(graph->line);
    free(graph->self_hits);
    free(graph->total_hits);
    free(graph->self_time_ns);
    free(graph->total_time_ns);
    free(graph);
}

int query_timeline(const struct profile_view *view, const struct query_options *options,
                   const struct query_timeline_options *shape, struct query_timeline **ret_timeline)
{
    (void)view;
    if (fake_check(options))
        return -EINVAL;
    struct query_timeline *timeline = calloc(1, sizeof *timeline);
    timeline->step_ns = shape->step_ns;
    timeline->step_count = 3;
    timeline->series_count = 2;
    timeline->other_count = shape->series_max == 1;
    timeline->threads = calloc(2, sizeof(uint32_t));
    timeline->threads[1] = 1;
    timeline->time_ns = calloc(6, sizeof(uint64_t));
    timeline->hits = calloc(6, sizeof(uint64_t));
    for (uint64_t i = 0; i < 6; i++)
        timeline->time_ns[i] = (timeline->hits[i] = i) * 100;
    *ret_timeline = timeline;
    return 0;
}

void query_timeline_free(struct query_timeline *timeline)
{
    if (timeline) {
        free(timeline->threads);
        free(timeline->time_ns);
        free(timeline->hits);
    }
    free(timeline);
}

int query_threads(const struct profile_view *view, const struct query_options *options,
                  struct query_threads **ret_threads)
{
    (void)view;
    if (fake_check(options))
        return -EINVAL;
    struct query_threads *threads = calloc(1, sizeof *threads);
    threads->count = 2;
    threads->rows = calloc(2, sizeof *threads->rows);
    threads->rows[0] = (struct query_thread){0, fake_cost(990)};
    threads->rows[1] = (struct query_thread){1, fake_cost(10)};
    *ret_threads = threads;
    return 0;
}

void query_threads_free(struct query_threads *threads)
{
    if (threads)
        free(threads->rows);
    free(threads);
}

/* Two rows: one on both sides, one that only a has. Of file 1 with two aligned runs, if asked. */
int query_diff(const struct diff_options *options, struct diff **ret_diff)
{
    if (fake_check(&options->queries[DIFF_A]) || fake_check(&options->queries[DIFF_B]))
        return -EINVAL;
    if (options->file > FAKE_FILES)
        return -ENOENT;
    struct diff *diff = calloc(1, sizeof *diff);
    diff->count = 2;
    diff->significant_count = 1;
    diff->rows = calloc(2, sizeof *diff->rows);
    for (int side = 0; side < DIFF_SIDES; side++) {
        uint64_t until_ns = fake_until(options->views[side], &options->queries[side]);
        diff->total[side] = (struct query_total){until_ns / NS_PER_MS, until_ns};
        diff->unknown[side].cost = fake_cost(7);
        diff->unknown[side].hits_by_status[SYMBOL_NO_DEBUG_INFO] = 7;
        diff->rows[0].sides[side] = (struct diff_place){1, 3, 1, fake_cost(90)};
    }
    diff->rows[0].evidence =
        (struct diff_evidence){0.25, 0.125, 0.375, 1.25e-10, 2.5e-10, DIFF_TEST_Z, true};
    diff->rows[1] = (struct diff_row){
        .sides = {{1, 4, 2, fake_cost(3)}, {1, 0, 0, fake_cost(0)}},
        .presence = DIFF_ONLY_IN_A,
        .alignment = DIFF_ALIGNED_TEXT,
        .evidence = {-0.03, -0.05, 0.01, 1, 1, DIFF_TEST_FISHER, false},
    };
    diff->files[DIFF_A] = diff->files[DIFF_B] = options->file;
    diff->alignment = DIFF_ALIGNED_TEXT;
    diff->run_count = 2;
    diff->runs = calloc(2, sizeof *diff->runs);
    diff->runs[0] = (struct diff_run){1, 1, 3};
    diff->runs[1] = (struct diff_run){5, 4, 10};
    *ret_diff = diff;
    return 0;
}

void query_diff_free(struct diff *diff)
{
    if (!diff)
        return;
    free(diff->rows);
    free(diff->runs);
    free(diff);
}

int listing_write(const struct profile_view *view, const struct query_options *options,
                  uint32_t file, const struct listing_options *listing, struct text *to)
{
    (void)view;
    (void)listing;
    if (fake_check(options))
        return -EINVAL;
    if (!file || file > FAKE_FILES)
        return -ENOENT;
    text_add_string(to, "Line #      Hits\n");
    return 0;
}
