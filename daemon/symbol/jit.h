/* Code in anonymous memory: its names may come, and change, long after it was sampled. */
#pragma once

#include "lprofd/symbols.h"
#include "symbol/perf_map.h"
#include "symbol/store.h"

struct jit_location {
    uint64_t ip; /* to look up */
    uint32_t location;
    uint32_t function; /* the published id */
};

/* That of one process. */
struct jit {
    struct perf_map map;
    struct jit_location *locations; /* owned: all that were ever asked for */
    size_t count, capacity;
    const struct module *module; /* borrowed: the one that they are in */
    uint64_t looked_at_ns;       /* when the map was looked at last, 0 never */
};

/*
 * Publishes locations in anonymous memory by the names known now, "[anon]" where there is none, and
 * keeps them for jit_refresh(). A location that is kept already stays as it is. 0 or -ENOMEM.
 */
int jit_resolve(struct jit *jit, struct store *store, const struct symbol_request *requests,
                size_t count);

/*
 * Publishes again the locations whose names differ after the map grew. It is looked at a few times
 * in a second, or right now when `now` is set. *ret_named grows by those that had no name before.
 * 0 or -ENOMEM.
 */
int jit_refresh(struct jit *jit, struct store *store, bool now, size_t *ret_named);

size_t jit_bytes(const struct jit *jit);
void jit_free(struct jit *jit);
