/* An open-addressing index with linear probing, at most 2/3 full. */
#include "base/index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void insert(struct index_slot *slots, size_t capacity, uint64_t hash, uint32_t position)
{
    size_t mask = capacity - 1;
    size_t at = hash & mask;
    while (slots[at].position != INDEX_EMPTY)
        at = (at + 1) & mask;
    slots[at] = (struct index_slot){.tag = (uint32_t)(hash >> 32), .position = position};
}

static int grow(struct index *index, index_hash_fn *rehash, const void *user)
{
    size_t capacity = index->capacity ? index->capacity * 2 : 64;
    struct index_slot *slots = malloc(capacity * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    memset(slots, 0xff, capacity * sizeof *slots);
    for (size_t i = 0; i < index->capacity; i++) {
        uint32_t position = index->slots[i].position;
        if (position != INDEX_EMPTY)
            insert(slots, capacity, rehash(user, position), position);
    }
    free(index->slots);
    index->slots = slots;
    index->capacity = capacity;
    return 0;
}

uint32_t index_find(const struct index *index, uint64_t hash, index_equal_fn *equal,
                    const void *user)
{
    if (!index->capacity)
        return INDEX_EMPTY;
    size_t mask = index->capacity - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        const struct index_slot *slot = &index->slots[at];
        if (slot->position == INDEX_EMPTY)
            return INDEX_EMPTY;
        if (slot->tag == (uint32_t)(hash >> 32) && equal(user, slot->position))
            return slot->position;
    }
}

int index_add(struct index *index, uint64_t hash, uint32_t position, index_hash_fn *rehash,
              const void *user)
{
    if (index->count * 3 >= index->capacity * 2) {
        int error = grow(index, rehash, user);
        if (error)
            return error;
    }
    insert(index->slots, index->capacity, hash, position);
    index->count++;
    return 0;
}

void index_reset(struct index *index)
{
    if (index->slots)
        memset(index->slots, 0xff, index->capacity * sizeof *index->slots);
    index->count = 0;
}

void index_clear(struct index *index)
{
    free(index->slots);
    *index = (struct index){0};
}
