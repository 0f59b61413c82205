/* What is published, for any thread that holds the shared lock. */
#include <string.h>

#include "symbol/symbols_private.h"

/* A reader changes nothing but the lock itself, which is why these take const and cast once. */
static pthread_rwlock_t *lock_of(const struct symbols *symbols)
{
    return (pthread_rwlock_t *)&symbols->store.lock;
}

void symbols_lock_shared(const struct symbols *symbols)
{
    pthread_rwlock_rdlock(lock_of(symbols));
}

void symbols_unlock(const struct symbols *symbols)
{
    pthread_rwlock_unlock(lock_of(symbols));
}

struct frame_span symbols_frames(const struct symbols *symbols, uint32_t location)
{
    const struct store *store = &symbols->store;
    if (location >= store->location_count)
        return (struct frame_span){.status = SYMBOL_PENDING};
    const struct stored_location *stored = &store->locations[location];
    return (struct frame_span){
        .frames = stored->count ? store->frames + stored->first : NULL,
        .count = stored->count,
        .status = (enum symbol_status)stored->status,
    };
}

struct symbol_function symbols_function(const struct symbols *symbols, uint32_t id)
{
    const struct store *store = &symbols->store;
    const struct stored_function *function = &store->functions[id < store->function_count ? id : 0];
    return (struct symbol_function){
        .name = string_table_get(&store->strings, function->name),
        .module = function->module,
        .file = function->file,
        .line = function->line,
    };
}

struct symbol_file symbols_file(const struct symbols *symbols, uint32_t id)
{
    const struct store *store = &symbols->store;
    const struct stored_file *file = &store->files[id < store->file_count ? id : 0];
    struct symbol_file known = {
        .path = string_table_get(&store->strings, file->path),
        .named = string_table_get(&store->strings, file->named),
        .directory = string_table_get(&store->strings, file->directory),
        .module = file->module,
        .has_md5 = file->md5_state == FILE_MD5_KNOWN,
    };
    memcpy(known.md5, file->md5, sizeof known.md5);
    return known;
}

uint32_t symbols_function_count(const struct symbols *symbols)
{
    return (uint32_t)symbols->store.function_count;
}

uint32_t symbols_file_count(const struct symbols *symbols)
{
    return (uint32_t)symbols->store.file_count;
}

uint64_t symbols_generation(const struct symbols *symbols)
{
    return symbols->store.generation;
}

size_t symbols_bytes(const struct symbols *symbols)
{
    return sizeof *symbols + store_bytes(&symbols->store) +
           atomic_load_explicit(&symbols->cache_bytes, memory_order_relaxed);
}
