/* Chains by thread: a walk's states, compared with those of the walk before. */
#include "unwind/chain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

/* Busy threads at a time; with more, they take turns. */
#define CHAINS 64

struct chain_cache {
    struct chain chains[CHAINS];
};

int chain_cache_new(struct chain_cache **ret_cache)
{
    struct chain_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return -ENOMEM;
    *ret_cache = cache;
    return 0;
}

void chain_cache_free(struct chain_cache *cache)
{
    for (size_t i = 0; cache && i < CHAINS; i++)
        free(cache->chains[i].links);
    free(cache);
}

struct chain *chain_cache_get(struct chain_cache *cache, pid_t tid, uint64_t generation)
{
    struct chain *chain = &cache->chains[hash_u64((uint64_t)tid) % CHAINS];
    if (chain->tid != tid || chain->generation != generation) {
        chain->count = 0;
        chain->tid = tid;
        chain->generation = generation;
    }
    return chain;
}

static bool is_unchanged(const struct chain_read *read, const struct sample *sample, uint64_t start)
{
    uint64_t offset = read->address - start;
    return read->address >= start && sample->stack_bytes >= sizeof read->value &&
           offset <= sample->stack_bytes - sizeof read->value &&
           memcmp(sample->stack + offset, &read->value, sizeof read->value) == 0;
}

static bool is_left_as_before(const struct chain_link *link, const struct sample *sample,
                              uint64_t start)
{
    for (unsigned i = 0; i < link->read_count; i++)
        if (!is_unchanged(&link->reads[i], sample, start))
            return false;
    return !link->is_unknown;
}

static bool is_same(const struct chain_link *left, const struct chain_link *right)
{
    return left->ip == right->ip && left->sp == right->sp && left->fp == right->fp &&
           left->valid == right->valid &&
           left->frame.is_return_address == right->frame.is_return_address &&
           left->by_frame_pointer == right->by_frame_pointer;
}

bool chain_find(const struct chain *chain, const struct chain_link *link, uint64_t stack_start,
                const struct sample *sample, size_t *position)
{
    size_t at = *position;
    while (at < chain->count && chain->links[at].sp < link->sp)
        at++;
    *position = at;
    if (at == chain->count || !is_same(&chain->links[at], link))
        return false;
    for (size_t i = at; i < chain->count; i++) {
        if (!is_left_as_before(&chain->links[i], sample, stack_start)) {
            *position = i + 1; /* from there on it may be */
            return false;
        }
    }
    return true;
}

void chain_replace(struct chain *chain, size_t position, const struct chain_link *links,
                   size_t count)
{
    size_t kept = chain->count - position;
    if (array_reserve(&chain->links, &chain->capacity, count + kept, sizeof *chain->links)) {
        chain->count = 0;
        return;
    }
    memmove(chain->links + count, chain->links + position, kept * sizeof *chain->links);
    memcpy(chain->links, links, count * sizeof *chain->links);
    chain->count = count + kept;
}
