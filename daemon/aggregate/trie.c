/* The stack trie: distinct stacks as nodes. */
#include "lprofd/trie.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "aggregate/raw_frame.h"
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
    atomic_uint references;
    struct stack_locations *locations; /* a reference */
    struct stable_vector nodes;        /* struct trie_node */
    struct index node_index, stack_index;
    struct whole_stack *stacks; /* owned */
    size_t stack_count, stack_capacity;
};

static struct trie_node *node_at(const struct stack_trie *trie, uint32_t node)
{
    return stable_at(&trie->nodes, node, sizeof(struct trie_node));
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

int stack_trie_find_child(struct stack_trie *trie, uint32_t parent, uint32_t location,
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
        struct raw_frame frame = stack_locations_get(wanted->trie->locations, have->location);
        if (!raw_frame_equal(&frame, &wanted->frames[i]))
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
        hash = hash_pair(hash, raw_frame_hash(&frames[i]));
    return hash;
}

static int add_path(struct stack_trie *trie, const struct raw_frame *frames, size_t count,
                    uint32_t *ret_node)
{
    uint32_t node = 0;
    for (size_t i = count; i-- > 0;) {
        uint32_t location = 0;
        int error = stack_locations_find(trie->locations, &frames[i], &location);
        if (!error)
            error = stack_trie_find_child(trie, node, location, &node);
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

int stack_trie_append_node(struct stack_trie *trie, struct trie_node node)
{
    if (node.parent >= stable_count(&trie->nodes) ||
        node.location >= stack_locations_count(trie->locations))
        return -EINVAL;
    return stable_append(&trie->nodes, &node, sizeof node);
}

uint32_t stack_trie_node_count(const struct stack_trie *trie)
{
    return stable_count(&trie->nodes);
}

uint32_t stack_trie_location_count(const struct stack_trie *trie)
{
    return stack_locations_count(trie->locations);
}

struct trie_node stack_trie_node(const struct stack_trie *trie, uint32_t node)
{
    return *node_at(trie, node);
}

struct raw_frame stack_trie_location(const struct stack_trie *trie, uint32_t location)
{
    return stack_locations_get(trie->locations, location);
}

size_t stack_trie_bytes(const struct stack_trie *trie)
{
    size_t slots = trie->node_index.capacity + trie->stack_index.capacity;
    return trie->nodes.bytes + slots * sizeof(struct index_slot) +
           trie->stack_capacity * sizeof *trie->stacks;
}

struct stack_locations *stack_trie_locations(const struct stack_trie *trie)
{
    return trie->locations;
}

int stack_trie_new(struct stack_locations *locations, struct stack_trie **ret_trie)
{
    struct stack_trie *trie = calloc(1, sizeof *trie);
    if (!trie)
        return -ENOMEM;
    atomic_init(&trie->references, 1);
    trie->locations = stack_locations_ref(locations);
    struct trie_node root = {0};
    if (stable_append(&trie->nodes, &root, sizeof root)) {
        stack_trie_unref(trie);
        return -ENOMEM;
    }
    *ret_trie = trie;
    return 0;
}

struct stack_trie *stack_trie_ref(struct stack_trie *trie)
{
    atomic_fetch_add(&trie->references, 1);
    return trie;
}

void stack_trie_unref(struct stack_trie *trie)
{
    if (!trie || atomic_fetch_sub(&trie->references, 1) != 1)
        return;
    stack_locations_unref(trie->locations);
    stable_free(&trie->nodes);
    index_clear(&trie->node_index);
    index_clear(&trie->stack_index);
    free(trie->stacks);
    free(trie);
}
