/* What is held of symbols: how much, what goes when it is too much, what is kept on disk before. */
#include "lprofd/symbols.h"
#include "symbol/symbols_private.h"

/* Debug sections that may stay in memory beside those of the module in use. */
#define LINES_BYTES_MAX (128u << 20)

/* Counts what is held; returns the bytes of debug sections other than those of `in_use`. */
static size_t count_bytes(struct symbols *symbols, const struct object *in_use,
                          struct object **ret_oldest)
{
    size_t lines_bytes = 0, bytes = kernel_symbols_bytes(&symbols->kernel);
    for (size_t i = 0; i < symbols->jit_count; i++)
        bytes += jit_bytes(&symbols->jits[i]);
    struct object *oldest = NULL;
    for (size_t i = 0; i < symbols->object_count; i++) {
        struct object *object = symbols->objects[i];
        if (!object)
            continue;
        bytes += object_bytes(object);
        if (!object->image || object == in_use || object == symbols->keeping)
            continue;
        lines_bytes += object_lines_bytes(object);
        if (!oldest || object->last_use < oldest->last_use)
            oldest = object;
    }
    atomic_store_explicit(&symbols->cache_bytes, bytes, memory_order_relaxed);
    *ret_oldest = oldest;
    return lines_bytes;
}

void symbols_count_memory(struct symbols *symbols)
{
    struct object *oldest;
    count_bytes(symbols, NULL, &oldest);
}

/* What is read of debug sections is to be kept, before they go: but only those of one module. */
static void choose_kept(struct symbols *symbols)
{
    if (symbols->keeping && object_has_to_store(symbols->keeping))
        return;
    symbols->keeping = NULL;
    for (size_t i = 0; i < symbols->object_count && !symbols->keeping; i++)
        if (symbols->objects[i] && object_has_to_store(symbols->objects[i]))
            symbols->keeping = symbols->objects[i];
}

void symbols_trim(struct symbols *symbols, const struct object *in_use)
{
    struct object *oldest;
    choose_kept(symbols);
    while (count_bytes(symbols, in_use, &oldest) > LINES_BYTES_MAX)
        object_forget_lines(oldest);
}

static struct object *last_used(const struct symbols *symbols)
{
    struct object *last = NULL;
    for (size_t i = 0; i < symbols->object_count; i++)
        if (symbols->objects[i] && (!last || symbols->objects[i]->last_use > last->last_use))
            last = symbols->objects[i];
    return last;
}

bool symbols_keep_some(struct symbols *symbols)
{
    choose_kept(symbols);
    if (!symbols->keeping)
        return false;
    object_store_some(symbols->keeping);
    if (!object_has_to_store(symbols->keeping))
        symbols_trim(symbols, last_used(symbols));
    return true;
}
