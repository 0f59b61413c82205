/* A saved profile as a session: it has all that queries ask of one, and no target. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "saved/saved_file.h"
#include "session/session_private.h"

static void cleanup_session(struct session **session)
{
    session_unref(*session);
}

/* Reading the file needs its bytes, and what becomes of them. */
static int read_profile(const char *path, uint64_t limit_bytes, struct saved_profile *profile,
                        struct failure *failure)
{
    _cleanup_free_ unsigned char *bytes = NULL;
    size_t length = 0;
    struct failure why = {0};
    int error = saved_file_read(path, limit_bytes, &bytes, &length, failure);
    if (error)
        return error;
    error = saved_profile_decode(bytes, length, limit_bytes, profile, &why);
    return error ? failure_set(failure, error, "%s %s", path, why.text) : 0;
}

static int restore_modules(const struct saved_profile *profile, struct module_table **ret_table)
{
    struct module_table *table = NULL;
    int error = module_table_restore(&table);
    for (size_t i = 0; i < profile->module_count && !error; i++)
        error = module_table_restore_module(table, &profile->modules[i]);
    if (error) {
        module_table_free(table);
        return error;
    }
    *ret_table = table;
    return 0;
}

/* What session_info() and session_view() tell. */
static void publish(struct session *session)
{
    struct saved_profile *saved = session->saved;
    const struct session_info *info = &saved->info;
    session->state = SESSION_LOADED;
    session->pid = info->pid;
    session->command = take_pointer(saved->info.command);
    session->executable = take_pointer(saved->info.executable);
    session->backend = saved->backend;
    session->backend_reason = saved->backend_reason;
    session->event = saved->event;
    session->frequency_hz = info->frequency_hz;
    session->stack_bytes = info->stack_bytes;
    session->follow = info->follow;
    session->unresolved_frames = info->samples.unresolved_frames;
    session->published = (struct session_published){
        .counts =
            {
                .hits = info->samples.total,
                .lost = info->samples.lost,
                .throttled = info->samples.throttled,
                .truncated = info->samples.truncated_stacks,
                .to_root = info->samples.unwound_to_root,
                .by_frame_pointer = info->samples.frame_pointer_stacks,
                .sampled_ns = info->sampled_ns,
                .accounted_ns = info->accounted_ns,
            },
        .thread_count = saved->thread_count,
        .threads_alive = info->threads,
        .processes = info->processes,
        .duration_ns = info->duration_ns,
    };
    session->published.threads = take_pointer(saved->threads);
    session->locations = take_pointer(saved->locations);
    session->trie = take_pointer(saved->trie);
    session->buckets = take_pointer(saved->buckets);
    session->symbols = take_pointer(saved->symbols);
    session->locations_done = stack_locations_count(session->locations);
    session->drained = true;
    session->epoch = 1;
    memcpy(session->started_at, info->started_at, sizeof session->started_at);
}

int session_load(const char *path, const struct session_options *options,
                 struct session **ret_session, struct failure *ret_failure)
{
    _cleanup_(cleanup_session) struct session *session = session_alloc();
    if (!session || session_copy_options(session, options))
        return failure_set(ret_failure, -ENOMEM, "out of memory");
    session->saved = calloc(1, sizeof *session->saved);
    if (!session->saved)
        return failure_set(ret_failure, -ENOMEM, "out of memory");
    int error = read_profile(path, session->memory_limit_bytes, session->saved, ret_failure);
    if (error)
        return error;
    error = restore_modules(session->saved, &session->modules);
    if (error)
        return failure_set(ret_failure, error, "cannot read %s: out of memory", path);
    publish(session);
    *ret_session = take_pointer(session);
    return 0;
}

static int compare_file(const void *key, const void *item)
{
    uint32_t file = *(const uint32_t *)key;
    const struct saved_source *source = item;
    return (file > source->file) - (file < source->file);
}

int session_open_saved_source(const struct session *session, uint32_t file, int *ret_fd,
                              bool *ret_stale)
{
    const struct saved_profile *saved = session->saved;
    _cleanup_free_ char *text = NULL;
    const struct saved_source *source = saved->source_count
                                            ? bsearch(&file, saved->sources, saved->source_count,
                                                      sizeof *saved->sources, compare_file)
                                            : NULL;
    if (!source)
        return -ENOENT;
    if (source->error)
        return source->error;
    int error = saved_source_unpack(source, &text);
    if (!error)
        error = session_open_text(text, source->bytes, ret_fd);
    if (!error)
        *ret_stale = source->stale;
    return error;
}
