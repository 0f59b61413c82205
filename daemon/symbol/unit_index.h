/* Which unit (DWARF's name for a compiled source file) an address belongs to. */
#pragma once

#include "base/cancel.h"
#include "symbol/debug_image.h"
#include "symbol/range_map.h"
#include "symbol/unit_data.h"

struct unit_index {
    struct unit_header *units; /* owned; only units with code */
    size_t count, capacity;
    struct range_map map; /* to positions in units */
    bool is_damaged;      /* there are units of which it is unknown where they have code */
};

/* Who sees each unit with code as soon as it is known, in the order of their positions. */
struct unit_visitor {
    int (*visit)(void *user, const struct unit_header *unit, const struct range *ranges,
                 size_t count);
    void *user;
};

/*
 * Reads the ranges of every unit's root DIE, as .debug_info arrives, all of which is there
 * afterwards; code below `text_vaddr` was discarded by the linker. .debug_aranges is not used:
 * clang writes none. `visitor` may be NULL; an error of its ends the reading. `cancel` may be NULL.
 * 0, -ENOMEM, -ECANCELED, the visitor's, or as debug_image_wait(); a broken unit ends the list.
 * Units that would make us read the same things over and over are left out. See is_damaged.
 */
int unit_index_read(struct debug_image *image, uint64_t text_vaddr,
                    const struct unit_visitor *visitor, const struct cancel *cancel,
                    struct unit_index *ret_index);

/* The position of the unit that has code at `vaddr`, or RANGE_NONE. O(log ranges). */
uint32_t unit_index_find(const struct unit_index *index, uint64_t vaddr);

size_t unit_index_bytes(const struct unit_index *index);
void unit_index_free(struct unit_index *index);
