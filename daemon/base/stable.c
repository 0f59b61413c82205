/* An append-only vector whose items never move. */
#include "base/stable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int stable_append(struct stable_vector *vector, const void *item, size_t item_bytes)
{
    uint32_t index = atomic_load_explicit(&vector->count, memory_order_relaxed);
    uint64_t shifted = (uint64_t)index + (1u << STABLE_FIRST_BITS);
    unsigned bits = 63u - (unsigned)__builtin_clzll(shifted);
    unsigned chunk = bits - STABLE_FIRST_BITS;
    if (chunk >= STABLE_CHUNKS)
        return -ENOMEM;
    if (!atomic_load_explicit(&vector->chunks[chunk], memory_order_relaxed)) {
        size_t bytes = ((size_t)1 << bits) * item_bytes;
        unsigned char *fresh = malloc(bytes);
        if (!fresh)
            return -ENOMEM;
        atomic_store_explicit(&vector->chunks[chunk], fresh, memory_order_release);
        vector->bytes += bytes;
    }
    memcpy(stable_at(vector, index, item_bytes), item, item_bytes);
    atomic_store_explicit(&vector->count, index + 1, memory_order_release);
    return 0;
}

void stable_free(struct stable_vector *vector)
{
    for (unsigned i = 0; i < STABLE_CHUNKS; i++)
        free(atomic_load_explicit(&vector->chunks[i], memory_order_relaxed));
    memset(vector, 0, sizeof *vector);
}
