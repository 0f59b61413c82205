/*
 * The stack trie: every distinct stack is one node. Append-only, and nothing moves: one writer, and
 * any number of readers that read the count first and then only below it, without a lock. Node 0
 * is the root (no frame); a parent's id is always smaller than its children's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lprofd/locations.h"

struct trie_node {
    uint32_t parent;
    uint32_t location;
};

struct stack_trie;

/* With one reference, and one to the locations that its nodes name. 0 or -ENOMEM. */
int stack_trie_new(struct stack_locations *locations, struct stack_trie **ret_trie);
/* Anyone: one more reference, and one less; NULL is ignored. The last one frees. */
struct stack_trie *stack_trie_ref(struct stack_trie *trie);
void stack_trie_unref(struct stack_trie *trie);

/* Writer only: the node of this stack (frames leaf first), added if new. 0 or -ENOMEM. */
int stack_trie_add(struct stack_trie *trie, const struct raw_frame *frames, size_t count,
                   uint32_t *ret_node);
/* Writer only: the child of a node for this location, added if new. 0 or -ENOMEM. */
int stack_trie_find_child(struct stack_trie *trie, uint32_t parent, uint32_t location,
                          uint32_t *ret_node);

/*
 * Writer, for a trie that was kept elsewhere and is only read from now on: the next node, as it
 * is. 0, -ENOMEM, or -EINVAL when the node names what is not there yet.
 */
int stack_trie_append_node(struct stack_trie *trie, struct trie_node node);

/* Readers: published counts, and items below them. O(1). */
uint32_t stack_trie_node_count(const struct stack_trie *trie);
uint32_t stack_trie_location_count(const struct stack_trie *trie);
struct trie_node stack_trie_node(const struct stack_trie *trie, uint32_t node);
struct raw_frame stack_trie_location(const struct stack_trie *trie, uint32_t location);
/* Borrowed. */
struct stack_locations *stack_trie_locations(const struct stack_trie *trie);

/* Writer: memory held, in bytes; that of the locations comes on top. */
size_t stack_trie_bytes(const struct stack_trie *trie);
