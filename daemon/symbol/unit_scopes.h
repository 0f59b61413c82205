/* Scopes of the units that functions of one unit are declared in: most often of that unit alone. */
#pragma once

#include "symbol/debug_image.h"
#include "symbol/die_place.h"
#include "symbol/scope_table.h"

struct unit_scopes_item {
    const void *unit; /* which: libdw's, or the split unit */
    struct scope_table table;
};

struct unit_scopes {
    struct unit_scopes_item *items; /* owned */
    size_t count, capacity;
    uint64_t bytes_read; /* of .debug_info */
};

/*
 * The scopes of the unit that `place` lies in, read when they are first asked for; borrowed until
 * the next call, and empty when it cannot be read, or when too much was. 0 or -ENOMEM.
 */
int unit_scopes_find(struct unit_scopes *scopes, const struct debug_image *image,
                     const struct die_place *place, const struct scope_table **ret_table);

size_t unit_scopes_bytes(const struct unit_scopes *scopes);
void unit_scopes_free(struct unit_scopes *scopes);
