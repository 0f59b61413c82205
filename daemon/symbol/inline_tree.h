/* Functions of one unit and what was inlined into them, by address. */
#pragma once

#include "symbol/abbreviation.h"
#include "symbol/range_map.h"

#define NODE_NONE UINT32_MAX

/* A function with code, or one inlined call. */
struct inline_node {
    uint32_t die;      /* offset of its DIE from the unit's start */
    uint32_t parent;   /* the node it is inlined into; NODE_NONE for a function of its own */
    uint32_t function; /* the published id, 0 while nobody asked */
    uint32_t call_file, call_line; /* where it is inlined; 0 for a function of its own */
    uint16_t call_column;
};

/* A function whose calls are read when somebody asks for an address of it. */
struct inline_function {
    uint64_t offset;      /* of its DIE in .debug_info */
    uint64_t origin;      /* of the DIE of the same unit that it is a copy of; 0: of none */
    uint64_t entry;       /* the vaddr where its first range begins */
    uint32_t node;        /* its own; NODE_NONE while nobody asked */
    struct range_map map; /* to nodes: the innermost at each address */
};

/* A function that was inlined elsewhere, or cloned. */
struct inline_copy {
    uint64_t origin;
    uint32_t function; /* position */
};

struct inline_tree {
    struct unit_data unit; /* its sections are borrowed */
    uint64_t text_vaddr;
    struct abbreviations abbreviations;
    struct inline_function *functions; /* owned */
    size_t function_count, function_capacity;
    struct inline_copy *copies; /* owned, by origin; NULL while nobody asked */
    size_t copy_count;
    struct range_map map;      /* to functions */
    struct inline_node *nodes; /* owned; parents before children */
    size_t count, capacity;
    size_t map_bytes;   /* of the functions' maps */
    uint64_t work_left; /* how many bytes of DIEs may still be read for calls */
    bool is_damaged;    /* some DIEs could not be read */
};

/*
 * Reads the functions of a unit; code below `text_vaddr` was discarded by the linker. A unit that
 * is broken half-way keeps what came before: see is_damaged. 0 or -ENOMEM.
 */
int inline_tree_read(const struct unit_data *unit, uint64_t text_vaddr,
                     struct inline_tree *ret_tree);

/* The innermost node at vaddr, or NODE_NONE. O(log ranges) from the second time on. 0 or -ENOMEM.
 */
int inline_tree_find(struct inline_tree *tree, uint64_t vaddr, uint32_t *ret_node);

/* The function whose DIE is at that offset, or NULL. O(log functions). */
const struct inline_function *inline_tree_function(const struct inline_tree *tree, uint64_t offset);

/*
 * Whether other functions begin where the one whose DIE is at that offset does. O(functions): for
 * what is seldom asked.
 */
bool inline_tree_has_twin(const struct inline_tree *tree, uint64_t offset);

/*
 * A function that is a copy of the DIE at that offset: what was inlined may be there as a function
 * of its own, too. NULL: there is none. O(log functions) from the second time on. 0 or -ENOMEM.
 */
int inline_tree_copy(struct inline_tree *tree, uint64_t origin,
                     const struct inline_function **ret_function);

size_t inline_tree_bytes(const struct inline_tree *tree);
void inline_tree_free(struct inline_tree *tree);
