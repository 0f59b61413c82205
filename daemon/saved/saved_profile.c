/* Saved profiles: a session's content to the bytes of a file, and back. */
#include "saved/saved_profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/compression.h"
#include "saved/document.h"
#include "saved/stacks.h"
#include "saved/tables.h"

#define _cleanup_database_ _cleanup_(database_close)

static void clear_writers(struct column_writer *columns)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        text_free(&columns[i].bytes);
}

/* Needs the lock of the view's symbols. */
static int write_all(struct database *database, const struct saved_content *content)
{
    struct column_writer columns[COLUMN_COUNT] = {0};
    struct symbol_jit jit = symbols_jit(content->view->symbols);
    int error = document_write(database, content->info, &jit);
    if (!error)
        error = tables_write(database, content);
    if (!error) {
        stacks_write(content->view, columns);
        error = tables_write_columns(database, columns);
    }
    clear_writers(columns);
    return error;
}

int saved_profile_encode(const struct saved_content *content, unsigned char **ret_bytes,
                         size_t *ret_length)
{
    _cleanup_database_ struct database database = {0};
    int error = database_create(&database);
    if (error)
        return error;
    symbols_lock_shared(content->view->symbols);
    error = write_all(&database, content);
    symbols_unlock(content->view->symbols);
    return error ? error : database_finish(&database, ret_bytes, ret_length);
}

/* What the columns make is checked on its own, whatever the digest says: it is no secret. */
static int read_all(struct database *database, struct budget *budget, struct saved_profile *profile)
{
    struct column columns[COLUMN_COUNT] = {0};
    int error = stack_locations_new(&profile->locations);
    if (!error)
        error = stack_trie_new(profile->locations, &profile->trie);
    if (!error)
        error = symbols_new(&profile->symbols);
    if (!error)
        error = bucket_store_new(SIZE_MAX, &profile->buckets);
    if (!error)
        error = document_read(database, budget, profile);
    if (!error)
        error = tables_read(database, budget, profile);
    if (!error)
        error = tables_read_columns(database, budget, columns);
    if (!error)
        error = database_verify(database);
    if (!error)
        error = stacks_read(columns, budget, profile);
    columns_clear(columns);
    return error;
}

static int explain(int error, uint64_t limit_bytes, struct failure *failure)
{
    switch (error) {
    case -EFBIG:
        return failure_set(failure, error,
                           "needs more than %" PRIu64 " MB of memory: raise --memory-limit",
                           limit_bytes >> 20);
    case -ENOMEM:
        return failure_set(failure, error, "cannot be read: out of memory");
    default:
        return failure_set(failure, -EBADMSG, "is damaged: its contents do not fit together");
    }
}

int saved_profile_decode(const unsigned char *bytes, size_t length, uint64_t limit_bytes,
                         struct saved_profile *ret_profile, struct failure *ret_failure)
{
    _cleanup_database_ struct database database = {0};
    _cleanup_(saved_profile_clear) struct saved_profile profile = {0};
    struct budget budget = {.left_bytes = limit_bytes > length ? limit_bytes - length : 0};
    int error = database_open(bytes, length, &database, ret_failure);
    if (error)
        return error;
    error = read_all(&database, &budget, &profile);
    if (error)
        return explain(error, limit_bytes, ret_failure);
    *ret_profile = profile;
    profile = (struct saved_profile){0};
    return 0;
}

void saved_profile_clear(struct saved_profile *profile)
{
    free(profile->info.command);
    free(profile->info.executable);
    for (size_t i = 0; i < profile->info.warning_count; i++)
        free(profile->info.warnings[i]);
    free(profile->backend);
    free(profile->backend_reason);
    free(profile->event);
    for (size_t i = 0; i < profile->module_count; i++)
        free(profile->modules[i].path);
    free(profile->modules);
    free(profile->threads);
    for (size_t i = 0; i < profile->source_count; i++)
        free(profile->sources[i].packed);
    free(profile->sources);
    stack_trie_unref(profile->trie);
    stack_locations_unref(profile->locations);
    symbols_free(profile->symbols);
    bucket_store_free(profile->buckets);
    *profile = (struct saved_profile){0};
}

int saved_source_unpack(const struct saved_source *source, char **ret_text)
{
    _cleanup_free_ char *text = malloc(source->bytes + 1);
    if (!text)
        return -ENOMEM;
    int error = compression_inflate(COMPRESSION_ZSTD, source->packed, source->packed_bytes, text,
                                    source->bytes);
    if (error)
        return error;
    *ret_text = take_pointer(text);
    return 0;
}
