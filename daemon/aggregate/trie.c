/* The stack trie: distinct stacks as nodes, distinct raw frames as locations. */
#include "lprofd/trie.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"
#include "base/stable.h"

/* A stack that was added as a whole, so that the next time no walk is needed. */
struct whole_stack {
    uint64_t hash;
    uint32_t node;
};

struct stack_trie {
    struct stable_vector nodes;     /* struct trie_node */
    struct stable_vector locations; /* struct raw_frame */
    struct index node_index, location_index, stack_index;
    struct whole_stack *stacks; /* owned */
    size_t stack_count, stack_capacity;
};

static struct trie_node *node_at(const struct stack_trie *trie, uint32_t node)
{
    return stable_at(&trie->nodes, node, sizeof(struct trie_node));
}

static struct raw_frame *location_at(const struct stack_trie *trie, uint32_t location)
{
    return stable_at(&trie->locations, location, sizeof(struct raw_frame));
}

static uint64_t hash_location(const struct raw_frame *frame)
{
    return hash_pair(frame->vaddr, (uint64_t)frame->module << 1 | frame->is_return_address);
}

static bool same_location(const struct raw_frame *first, const struct raw_frame *second)
{
    return first->vaddr == second->vaddr && first->module == second->module &&
           first->is_return_address == second->is_return_address;
}

struct wanted_location {
    const struct stack_trie *trie;
    const struct raw_frame *frame;
};

static bool location_equal(const void *user, uint32_t position)
{
    const struct wanted_location *wanted = user;
    return same_location(location_at(wanted->trie, position), wanted->frame);
}

static uint64_t location_rehash(const void *user, uint32_t position)
{
    const struct wanted_location *wanted = user;
    return hash_location(location_at(wanted->trie, position));
}

static int intern_location(struct stack_trie *trie, const struct raw_frame *frame,
                           uint32_t *ret_location)
{
    struct wanted_location wanted = {trie, frame};
    uint64_t hash = hash_location(frame);
    uint32_t found = index_find(&trie->location_index, hash, location_equal, &wanted);
    if (found == INDEX_EMPTY) {
        found = stable_count(&trie->locations);
        int error = stable_append(&trie->locations, frame, sizeof *frame);
        if (!error)
            error = index_add(&trie->location_index, hash, found, location_rehash, &wanted);
        if (error)
            return error;
    }
    *ret_location = found;
    return 0;
}

static uint64_t hash_node(struct trie_node node)
{
    return hash_u64((uint64_t)node.parent << 32 | node.location);
}

struct wanted_node {
    const struct stack_trie *trie;
    struct trie_node node;
};

static bool node_equal(const void *user, uint32_t position)
{
    const struct wanted_node *wanted = user;
    const struct trie_node *have = node_at(wanted->trie, position);
    return have->parent == wanted->node.parent && have->location == wanted->node.location;
}

static uint64_t node_rehash(const void *user, uint32_t position)
{
    const struct wanted_node *wanted = user;
    return hash_node(*node_at(wanted->trie, position));
}

static int intern_child(struct stack_trie *trie, uint32_t parent, uint32_t location,
                        uint32_t *ret_node)
{
    struct wanted_node wanted = {trie, {parent, location}};
    uint64_t hash = hash_node(wanted.node);
    uint32_t found = index_find(&trie->node_index, hash, node_equal, &wanted);
    if (found == INDEX_EMPTY) {
        found = stable_count(&trie->nodes);
        int error = stable_append(&trie->nodes, &wanted.node, sizeof wanted.node);
        if (!error)
            error = index_add(&trie->node_index, hash, found, node_rehash, &wanted);
        if (error)
            return error;
    }
    *ret_node = found;
    return 0;
}

struct wanted_stack {
    const struct stack_trie *trie;
    const struct raw_frame *frames;
    size_t count;
};

/* The tag matched: compare frame by frame on the way to the root. */
static bool stack_equal(const void *user, uint32_t position)
{
    const struct wanted_stack *wanted = user;
    uint32_t node = wanted->trie->stacks[position].node;
    for (size_t i = 0; i < wanted->count; i++) {
        if (node == 0)
            return false;
        const struct trie_node *have = node_at(wanted->trie, node);
        if (!same_location(location_at(wanted->trie, have->location), &wanted->frames[i]))
            return false;
        node = have->parent;
    }
    return node == 0;
}

static uint64_t stack_rehash(const void *user, uint32_t position)
{
    const struct wanted_stack *wanted = user;
    return wanted->trie->stacks[position].hash;
}

static uint64_t hash_stack(const struct raw_frame *frames, size_t count)
{
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++)
        hash = hash_pair(hash, hash_location(&frames[i]));
    return hash;
}

static int add_path(struct stack_trie *trie, const struct raw_frame *frames, size_t count,
                    uint32_t *ret_node)
{
    uint32_t node = 0;
    for (size_t i = count; i-- > 0;) {
        uint32_t location = 0;
        int error = intern_location(trie, &frames[i], &location);
        if (!error)
            error = intern_child(trie, node, location, &node);
        if (error)
            return error;
    }
    *ret_node = node;
    return 0;
}

int stack_trie_add(struct stack_trie *trie, const struct raw_frame *frames, size_t count,
                   uint32_t *ret_node)
{
    struct wanted_stack wanted = {trie, frames, count};
    uint64_t hash = hash_stack(frames, count);
    uint32_t found = index_find(&trie->stack_index, hash, stack_equal, &wanted);
    if (found != INDEX_EMPTY) {
        *ret_node = trie->stacks[found].node;
        return 0;
    }

    uint32_t node = 0;
    int error = add_path(trie, frames, count, &node);
    if (!error)
        error = array_reserve(&trie->stacks, &trie->stack_capacity, trie->stack_count + 1,
                              sizeof *trie->stacks);
    if (error)
        return error;
    trie->stacks[trie->stack_count] = (struct whole_stack){hash, node};
    error = index_add(&trie->stack_index, hash, (uint32_t)trie->stack_count, stack_rehash, &wanted);
    if (error)
        return error;
    trie->stack_count++;
    *ret_node = node;
    return 0;
}

int stack_trie_append_location(struct stack_trie *trie, const struct raw_frame *frame)
{
    return stable_append(&trie->locations, frame, sizeof *frame);
}

int stack_trie_append_node(struct stack_trie *trie, struct trie_node node)
{
    if (node.parent >= stable_count(&trie->nodes) ||
        node.location >= stable_count(&trie->locations))
        return -EINVAL;
    return stable_append(&trie->nodes, &node, sizeof node);
}

uint32_t stack_trie_node_count(const struct stack_trie *trie)
{
    return stable_count(&trie->nodes);
}

uint32_t stack_trie_location_count(const struct stack_trie *trie)
{
    return stable_count(&trie->locations);
}

struct trie_node stack_trie_node(const struct stack_trie *trie, uint32_t node)
{
    return *node_at(trie, node);
}

struct raw_frame stack_trie_location(const struct stack_trie *trie, uint32_t location)
{
    return *location_at(trie, location);
}

size_t stack_trie_bytes(const struct stack_trie *trie)
{
    size_t slots =
        trie->node_index.capacity + trie->location_index.capacity + trie->stack_index.capacity;
    return trie->nodes.bytes + trie->locations.bytes + slots * sizeof(struct index_slot) +
           trie->stack_capacity * sizeof *trie->stacks;
}

int stack_trie_new(struct stack_trie **ret_trie)
{
    struct stack_trie *trie = calloc(1, sizeof *trie);
    if (!trie)
        return -ENOMEM;
    struct trie_node root = {0};
    if (stable_append(&trie->nodes, &root, sizeof root)) {
        stack_trie_free(trie);
        return -ENOMEM;
    }
    *ret_trie = trie;
    return 0;
}

void stack_trie_free(struct stack_trie *trie)
{
    if (!trie)
        return;
    stable_free(&trie->nodes);
    stable_free(&trie->locations);
    index_clear(&trie->node_index);
    index_clear(&trie->location_index);
    index_clear(&trie->stack_index);
    free(trie->stacks);
    free(trie);
}
