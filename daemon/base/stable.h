/*
 * An append-only vector whose items never move: one writer, readers without a lock. Chunk k holds
 * 2^(k+10) items, so that 22 chunks cover every 32-bit index.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define STABLE_FIRST_BITS 10
#define STABLE_CHUNKS 22

struct stable_vector {
    _Atomic(unsigned char *) chunks[STABLE_CHUNKS]; /* owned */
    _Atomic uint32_t count;                         /* published: items below it are complete */
    size_t bytes;                                   /* memory held */
};

static inline void *stable_at(const struct stable_vector *vector, uint32_t index, size_t item_bytes)
{
    uint64_t shifted = (uint64_t)index + (1u << STABLE_FIRST_BITS);
    unsigned bits = 63u - (unsigned)__builtin_clzll(shifted);
    unsigned char *chunk =
        atomic_load_explicit(&vector->chunks[bits - STABLE_FIRST_BITS], memory_order_acquire);
    return chunk + (shifted - (UINT64_C(1) << bits)) * item_bytes;
}

/* The number of items that may be read. */
static inline uint32_t stable_count(const struct stable_vector *vector)
{
    return atomic_load_explicit(&vector->count, memory_order_acquire);
}

/* Writer only: appends a copy of the item and publishes it. 0 or -ENOMEM. */
int stable_append(struct stable_vector *vector, const void *item, size_t item_bytes);

/* Frees all chunks; there must be no reader left. */
void stable_free(struct stable_vector *vector);
