/* Code in anonymous memory: its names may come, and change, long after it was sampled. */
#pragma once

#include "lprofd/symbols.h"
#include "symbol/jitdump.h"
#include "symbol/perf_map.h"
#include "symbol/store.h"

/* Dumps of one process: one for each run-time compiler in it. */
#define JIT_DUMPS_MAX 8

struct jit_location {
    uint64_t ip;      /* to look up */
    uint64_t seen_ns; /* when it was asked for first: shortly after it was sampled */
    uint32_t location;
    bool is_named;
    bool was_replaced;  /* its code is gone: what is sampled there now is another location */
    uint64_t name_hash; /* of the name in the map's file number map_file; 0: not from a map */
    uint64_t map_file;
    struct frame frame; /* as published */
};

/* That of one process. */
struct jit {
    struct perf_map map;
    bool map_is_final; /* it is not looked at again */
    struct jitdump dumps[JIT_DUMPS_MAX];
    size_t dump_count;
    struct jit_location *locations; /* owned: all that were ever asked for */
    size_t count, capacity;
    size_t named;                /* of them */
    size_t named_late;           /* that were not at first, and that nobody was told of */
    bool was_replaced;           /* code of a location was, since it was told */
    bool has_function_lines;     /* of some no more is known than where their function begins */
    const struct target *target; /* borrowed */
    uint32_t module;             /* id of the first module that its locations are in */
    uint64_t looked_at_ns;       /* when the files were looked at last, 0 never */
};

/* Another file to read; `fd` must stay open as long as the jit. -ENOSPC when there are too many. */
int jit_add_dump(struct jit *jit, int fd);

/*
 * Publishes locations in anonymous memory by what is known now, "[anon]" where there is no name,
 * and keeps them for jit_refresh(). A location that is kept already stays as it is. 0 or -ENOMEM.
 */
int jit_resolve(struct jit *jit, struct store *store, const struct symbol_request *requests,
                size_t count);

/*
 * Publishes again the locations of which more is known after the files grew. They are looked at a
 * few times in a second, or right now when `now` is set. *ret_named grows by the locations that had
 * no name before. 0 or -ENOMEM.
 */
int jit_refresh(struct jit *jit, struct store *store, bool now, size_t *ret_named);

/* enum symbol_jit_problem bits of all that was read. */
unsigned jit_problems(const struct jit *jit);

size_t jit_bytes(const struct jit *jit);
void jit_free(struct jit *jit);
