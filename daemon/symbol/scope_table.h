/* Which name space, class or function encloses each function of a unit: DIEs do not say it. */
#pragma once

#include "symbol/abbreviation.h"

#define SCOPE_NONE UINT32_MAX

/* A DIE that encloses functions. Offsets are into .debug_info. */
struct scope {
    uint64_t offset, end;
    uint32_t parent; /* SCOPE_NONE: the unit */
    uint32_t tag;
    uint32_t depth; /* of the DIE */
    uint32_t level; /* how many scopes are around it */
    bool is_used;   /* it encloses at least one */
};

/* Sorted by offset. */
struct scope_table {
    struct scope *scopes; /* owned */
    size_t count, capacity;
};

/*
 * Reads all DIEs of a unit once. A unit that is broken half-way keeps what came before. 0 or
 * -ENOMEM.
 */
int scope_table_read(const struct unit_data *unit, const struct abbreviations *abbreviations,
                     struct scope_table *ret_table);

/* What encloses the function, class or name space of the DIE at `offset`. O(log scopes). */
uint32_t scope_table_find(const struct scope_table *table, uint64_t offset);

size_t scope_table_bytes(const struct scope_table *table);
void scope_table_free(struct scope_table *table);
