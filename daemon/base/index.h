/*
 * An open-addressing index from 64-bit hashes to array positions. The items stay in the caller's
 * array; the caller compares them, so that one index serves every kind of item.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_slot {
    uint32_t tag;      /* upper half of the hash */
    uint32_t position; /* INDEX_EMPTY when free */
};

#define INDEX_EMPTY UINT32_MAX

struct index {
    struct index_slot *slots; /* owned */
    size_t capacity;          /* a power of two, or 0 */
    size_t count;
};

/* True when the item at `position` is the one looked for. */
typedef bool index_equal_fn(const void *user, uint32_t position);

/* The position of the item with this hash for which equal() holds, or INDEX_EMPTY. */
uint32_t index_find(const struct index *index, uint64_t hash, index_equal_fn *equal,
                    const void *user);

/*
 * Adds a position that is not in the index yet. `rehash` gives the hash of any item by position.
 * Returns 0 or -ENOMEM.
 */
typedef uint64_t index_hash_fn(const void *user, uint32_t position);
int index_add(struct index *index, uint64_t hash, uint32_t position, index_hash_fn *rehash,
              const void *user);

/* Forgets all items and keeps the slots. */
void index_reset(struct index *index);

/* Frees the slots; the index is empty and usable afterwards. */
void index_clear(struct index *index);
