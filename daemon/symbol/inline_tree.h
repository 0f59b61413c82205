/* Functions of one unit and what was inlined into them, by address. */
#pragma once

#include "symbol/range_map.h"
#include "symbol/unit_data.h"

#define NODE_NONE UINT32_MAX

/* A function with code, or one inlined call. */
struct inline_node {
    uint32_t die;      /* offset of its DIE from the unit's start */
    uint32_t parent;   /* the node it is inlined into; NODE_NONE for a function of its own */
    uint32_t function; /* the published id, 0 while nobody asked */
    uint32_t call_file, call_line; /* where it is inlined; 0 for a function of its own */
    uint16_t call_column;
};

struct inline_tree {
    struct inline_node *nodes; /* owned; parents before children */
    size_t count, capacity;
    struct range_map map; /* to nodes: the innermost at each address */
};

/*
 * Reads the DIEs of a unit once; code below `text_vaddr` was discarded by the linker. A unit that
 * is broken half-way keeps what came before. 0 or -ENOMEM.
 */
int inline_tree_read(const struct unit_data *unit, uint64_t text_vaddr,
                     struct inline_tree *ret_tree);

/* The innermost node at vaddr, or NODE_NONE. O(log ranges). */
uint32_t inline_tree_find(const struct inline_tree *tree, uint64_t vaddr);

size_t inline_tree_bytes(const struct inline_tree *tree);
void inline_tree_free(struct inline_tree *tree);
