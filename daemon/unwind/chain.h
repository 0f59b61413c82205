/*
 * The last whole stack of each thread: where its next one comes by the same frame, and what that
 * and its callers were found by is still there, the rest is known.
 */
#pragma once

#include "lprofd/sample.h"
#include "lprofd/stack.h"

/* A plain frame is left by reading its return address and perhaps a frame pointer. */
#define LINK_READS_MAX 2

struct chain_read {
    uint64_t address, value; /* of 8 bytes of the stack */
};

/* A frame as a walk reached it, and what of the stack it took to leave it: nothing else counts. */
struct chain_link {
    uint64_t valid, ip, sp, fp; /* registers.valid and those values */
    struct raw_frame frame;
    bool by_frame_pointer; /* how the walk came here */
    bool is_unknown;       /* what else it took to leave it is not in reads */
    uint8_t read_count;
    struct chain_read reads[LINK_READS_MAX];
};

struct chain {
    pid_t tid;
    uint64_t generation;      /* of the address space; 0: the chain is empty */
    struct chain_link *links; /* owned, leaf first; the last is the root */
    size_t count, capacity;
};

struct chain_cache;

int chain_cache_new(struct chain_cache **ret_cache);
void chain_cache_free(struct chain_cache *cache);

/* The thread's chain, or that of another which it will replace. Never NULL. */
struct chain *chain_cache_get(struct chain_cache *cache, pid_t tid, uint64_t generation);

/* Notes what was read to leave a frame. */
static inline void chain_link_read(struct chain_link *link, uint64_t address, uint64_t value)
{
    if (link->read_count == LINK_READS_MAX)
        link->is_unknown = true;
    else
        link->reads[link->read_count++] = (struct chain_read){address, value};
}

/*
 * Where a walk that has reached `link` (its frame is not looked at) is on a stack that it knows
 * already: true, and *position is that link of the chain. *position goes up from 0, only.
 */
bool chain_find(const struct chain *chain, const struct chain_link *link, uint64_t stack_start,
                const struct sample *sample, size_t *position);

/* The links before *position give way to the `count` ones of a new walk. Without memory: none. */
void chain_replace(struct chain *chain, size_t position, const struct chain_link *links,
                   size_t count);
