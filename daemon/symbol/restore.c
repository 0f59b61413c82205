/* Symbols that were published elsewhere: what a saved profile knows. */
#include <errno.h>

#include "symbol/symbols_private.h"

int symbols_restore_file(struct symbols *symbols, const struct symbol_file *file)
{
    uint32_t next = (uint32_t)symbols->store.file_count, id;
    int error = store_add_file(&symbols->store, file->path, file->directory, file->module,
                               file->has_md5 ? file->md5 : NULL, &id);
    return error ? error : id == next ? 0 : -EINVAL;
}

int symbols_restore_function(struct symbols *symbols, const struct symbol_function *function)
{
    uint32_t next = (uint32_t)symbols->store.function_count, id;
    if (function->file >= symbols->store.file_count)
        return -EINVAL;
    int error = store_add_function(&symbols->store, function->name, function->module,
                                   function->file, function->line, &id);
    return error ? error : id == next ? 0 : -EINVAL;
}

int symbols_restore_location(struct symbols *symbols, uint32_t location, const struct frame *frames,
                             size_t count, enum symbol_status status)
{
    struct store *store = &symbols->store;
    if (count > SYMBOL_FRAMES_MAX || (unsigned)status >= SYMBOL_STATUS_COUNT)
        return -EINVAL;
    for (size_t i = 0; i < count; i++)
        if (frames[i].function >= store->function_count || frames[i].file >= store->file_count)
            return -EINVAL;
    return count ? store_publish(store, location, frames, count, status)
                 : store_set_status(store, location, status);
}

void symbols_restore_jit(struct symbols *symbols, const struct symbol_jit *jit)
{
    atomic_store_explicit(&symbols->jit_locations, jit->locations, memory_order_relaxed);
    atomic_store_explicit(&symbols->jit_named, jit->named, memory_order_relaxed);
    atomic_store_explicit(&symbols->jit_problems, jit->problems, memory_order_relaxed);
}
