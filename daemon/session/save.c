/* Saving a session as a file. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/compression.h"
#include "base/text.h"
#include "saved/saved_file.h"
#include "session/session_private.h"

/* How long sources that are on their way from a server are waited for, all together. */
#define FETCH_TIMEOUT_NS (20 * NS_PER_SECOND)
#define FETCH_POLL_NS (50 * NS_PER_MS)

struct save {
    struct session *session;       /* borrowed */
    struct profile_view *view;     /* owned */
    struct session_info info;      /* owned */
    const struct module **modules; /* owned array */
    struct saved_source *sources;  /* owned, and what they hold */
    size_t source_count;
    uint64_t source_bytes; /* of all texts so far */
    size_t left_out;       /* texts that were too many */
    uint64_t fetch_until_ns;
};

static void save_clear(struct save *save)
{
    for (size_t i = 0; i < save->source_count; i++)
        free(save->sources[i].packed);
    free(save->sources);
    free(save->modules);
    session_info_free(&save->info);
    profile_view_free(save->view);
}

/* --- which files -------------------------------------------------------------------------------
 */

struct costly_file {
    uint32_t file;
    uint64_t hits;
};

/* The hits below each node, itself included. Parents come first, so one pass backwards does. */
static uint64_t *count_nodes(const struct profile_view *view)
{
    uint64_t *hits = calloc(view->node_count + 1ul, sizeof *hits);
    if (!hits)
        return NULL;
    for (size_t i = 0; i < view->bucket_count; i++)
        for (size_t j = 0; j < view->buckets[i]->count; j++)
            hits[view->buckets[i]->entries[j].node] += view->buckets[i]->entries[j].hits;
    for (uint32_t node = view->node_count; node-- > 1;)
        hits[stack_trie_node(view->trie, node).parent] += hits[node];
    return hits;
}

/* Recursion counts more than once: this only decides which texts matter more. */
static void count_files(const struct profile_view *view, const uint64_t *node_hits,
                        struct costly_file *files)
{
    for (uint32_t node = 1; node < view->node_count; node++) {
        uint32_t location = stack_trie_node(view->trie, node).location;
        struct frame_span span = symbols_frames(view->symbols, location);
        for (uint32_t i = 0; i < span.count; i++)
            if (span.frames[i].line)
                files[span.frames[i].file].hits += node_hits[node];
    }
}

static int compare_files(const void *first, const void *second)
{
    const struct costly_file *a = first, *b = second;
    return a->hits != b->hits ? (a->hits < b->hits) - (a->hits > b->hits)
                              : (a->file > b->file) - (a->file < b->file);
}

/* The files with cost, most expensive first. */
static int find_files(const struct profile_view *view, struct costly_file **ret_files,
                      size_t *ret_count)
{
    _cleanup_free_ uint64_t *node_hits = count_nodes(view);
    symbols_lock_shared(view->symbols);
    size_t all = symbols_file_count(view->symbols), count = 0;
    struct costly_file *files = calloc(all, sizeof *files);
    if (files && node_hits)
        count_files(view, node_hits, files);
    symbols_unlock(view->symbols);
    if (!files || !node_hits) {
        free(files);
        return -ENOMEM;
    }
    for (uint32_t i = 1; i < all; i++)
        if (files[i].hits)
            files[count++] = (struct costly_file){i, files[i].hits};
    qsort(files, count, sizeof *files, compare_files);
    *ret_files = files;
    *ret_count = count;
    return 0;
}

/* --- their texts ------------------------------------------------------------------------------ */

/* Opens it, waiting for a while when it is on its way from a server. */
static int open_source(struct save *save, uint32_t file, int *ret_fd, bool *ret_stale)
{
    static const struct timespec pause = {.tv_nsec = (long)FETCH_POLL_NS};
    enum source_origin origin = SOURCE_FOUND;
    int error = session_open_source(save->session, file, ret_fd, &origin);
    if (error == -ENOENT)
        error = session_fetch_source(save->session, file);
    while (error == -EINPROGRESS && clock_monotonic_ns() < save->fetch_until_ns) {
        nanosleep(&pause, NULL);
        error = session_open_source(save->session, file, ret_fd, &origin);
    }
    *ret_stale = origin == SOURCE_STALE;
    return error == -EINPROGRESS ? -ENOENT : error;
}

static int add_source(struct save *save, uint32_t file)
{
    struct saved_source *source = &save->sources[save->source_count];
    _cleanup_close_ int fd = -1;
    _cleanup_text_ struct text text = {0};
    *source = (struct saved_source){.file = file};
    source->error = open_source(save, file, &fd, &source->stale);
    if (!source->error)
        source->error = text_read(&text, fd, SESSION_SOURCE_MAX_BYTES);
    if (source->error == -ENOMEM)
        return -ENOMEM;
    if (!source->error && save->source_bytes + text.length > SAVED_SOURCES_MAX_BYTES) {
        source->error = -ENOENT;
        save->left_out++;
    }
    if (!source->error) {
        int error = compression_pack(text.length ? text.bytes : "", text.length, COMPRESSION_SMALL,
                                     &source->packed, &source->packed_bytes);
        if (error)
            return error;
        source->bytes = text.length;
        save->source_bytes += text.length;
    }
    save->source_count++;
    return 0;
}

static int compare_sources(const void *first, const void *second)
{
    const struct saved_source *a = first, *b = second;
    return (a->file > b->file) - (a->file < b->file);
}

static int take_sources(struct save *save)
{
    _cleanup_free_ struct costly_file *files = NULL;
    size_t count = 0;
    int error = find_files(save->view, &files, &count);
    if (error)
        return error;
    save->fetch_until_ns = clock_monotonic_ns() + FETCH_TIMEOUT_NS;
    save->sources = calloc(count + 1, sizeof *save->sources);
    if (!save->sources)
        return -ENOMEM;
    for (size_t i = 0; i < count && !error; i++)
        error = add_source(save, files[i].file);
    qsort(save->sources, save->source_count, sizeof *save->sources, compare_sources);
    return error;
}

/* What is not in the file is said in the file. */
static void warn_of_left_out(struct save *save)
{
    struct session_info *info = &save->info;
    char *text = NULL;
    if (!save->left_out || info->warning_count == SESSION_WARNINGS_MAX)
        return;
    if (asprintf(&text,
                 "the texts of %zu source files with little cost were not saved, to stay below "
                 "%" PRIu64 " MB",
                 save->left_out, (uint64_t)SAVED_SOURCES_MAX_BYTES >> 20) >= 0)
        info->warnings[info->warning_count++] = text;
}

/* --- the rest --------------------------------------------------------------------------------- */

static int take_modules(struct save *save)
{
    uint32_t count = save->view->module_count;
    save->modules = calloc(count + 1ul, sizeof(const struct module *));
    if (!save->modules)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        save->modules[i] = profile_view_module(save->view, i);
    return 0;
}

static int encode(struct save *save, bool with_sources, unsigned char **ret_bytes,
                  size_t *ret_length)
{
    int error = session_view(save->session, &save->view);
    if (!error)
        error = session_info(save->session, &save->info);
    if (!error)
        error = take_modules(save);
    if (!error && with_sources)
        error = take_sources(save);
    if (error)
        return error;
    warn_of_left_out(save);
    struct saved_content content = {
        .info = &save->info,
        .view = save->view,
        .modules = save->modules,
        .sources = save->sources,
        .source_count = save->source_count,
    };
    return saved_profile_encode(&content, ret_bytes, ret_length);
}

int session_save_check(const char *path, struct failure *ret_failure)
{
    return saved_file_check(path, ret_failure);
}

int session_save(struct session *session, const char *path, bool with_sources,
                 struct failure *ret_failure)
{
    _cleanup_(save_clear) struct save save = {.session = session};
    _cleanup_free_ unsigned char *bytes = NULL;
    size_t length = 0;
    int error = encode(&save, with_sources, &bytes, &length);
    if (error)
        return failure_set(ret_failure, error, "cannot save to %s: %s", path, strerror(-error));
    return saved_file_write(path, bytes, length, ret_failure);
}
