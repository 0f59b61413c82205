/* What the cache on disk has of one module: its index, and each unit that was ever touched. */
#pragma once

#include "symbol/disk_cache.h"
#include "symbol/stored_index.h"
#include "symbol/stored_unit.h"
#include "symbol/stored_unit_build.h"

struct stored_module {
    struct disk_cache *cache; /* borrowed */
    char *identity;           /* owned: what all of it was made of, line by line */
    struct stored_index index;
    bool index_sought, has_index, index_written;
    struct stored_unit **units; /* owned, by position in the index; NULL: not read */
    bool *is_absent;            /* owned: it was sought, and is not there */
    size_t units_bytes;
    uint32_t *wanted; /* owned: positions in the unit index of what shall be kept */
    size_t wanted_count, wanted_capacity, wanted_done;
    bool *is_wanted; /* owned: the same, by position */
    size_t is_wanted_count, is_wanted_capacity;
    struct stored_unit_build *build; /* owned: of the first that is not done */
};

/* Takes over the identity, a malloc'ed text. 0 or -ENOMEM. */
int stored_module_new(struct disk_cache *cache, char *identity, struct stored_module **ret_module);
void stored_module_free(struct stored_module *module);

/* The frames at vaddr, as stored_unit_resolve(). -ENOENT when they are not kept; -ENOMEM. */
int stored_module_resolve(struct stored_module *module, struct store *store, uint32_t module_id,
                          uint32_t fallback, uint64_t vaddr, struct frame *ret_frames,
                          size_t *ret_count);

/* Asks that the unit at that position of the unit index be kept. When memory lacks, it is not. */
void stored_module_want(struct stored_module *module, uint32_t position);

/* True when something is still to be kept. */
bool stored_module_has_work(const struct stored_module *module);

/* Does a few milliseconds of that work. The image of the source outlives what is begun of it. */
void stored_module_work(struct stored_module *module, const struct unit_source *source,
                        const struct unit_index *index);

/* Lets go of what borrows from the image; it is begun anew when work goes on. */
void stored_module_leave_image(struct stored_module *module);

size_t stored_module_bytes(const struct stored_module *module);
