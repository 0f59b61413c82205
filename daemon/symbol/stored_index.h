/* Which unit an address belongs to, as it is kept on disk: a unit_index without its debug file. */
#pragma once

#include "symbol/range_map.h"
#include "symbol/unit_index.h"

struct stored_index {
    struct range_map map; /* to positions in offsets */
    uint64_t *offsets;    /* owned: of the units in .debug_info */
    size_t count;
};

/* The bytes that stored_index_open() reads; the caller frees them. 0, -ENOMEM or -ENOTSUP. */
int stored_index_build(const struct unit_index *index, unsigned char **ret_bytes,
                       size_t *ret_length);

/* Every number in them is checked. 0, -ENOMEM or -EBADMSG. */
int stored_index_open(const unsigned char *bytes, size_t length, struct stored_index *ret_index);

size_t stored_index_bytes(const struct stored_index *index);
void stored_index_free(struct stored_index *index);
