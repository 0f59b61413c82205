/* The shared first step of every query: the filtered samples on the stack trie, in walking order.
 */
#include "query/walk.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "query/filter.h"

/* Per trie node; the passes below turn it into positions. */
struct plan_node {
    struct query_count self, total;
    uint32_t parent;
    union {
        uint32_t size; /* live nodes of the subtree; 0: no sample, not part of the walk */
        uint32_t next; /* once placed: where its next child goes */
    };
};

struct plan {
    const struct profile_view *view;
    struct pages pages;      /* owned */
    struct plan_node *nodes; /* there */
    uint32_t count;          /* at least 1 */
};

static void plan_clear(struct plan *plan)
{
    pages_free(&plan->pages);
}

#define _cleanup_plan_ __attribute__((cleanup(plan_clear)))

static int plan_init(struct plan *plan, const struct profile_view *view)
{
    uint32_t count = view->node_count ? view->node_count : 1;
    *plan = (struct plan){.view = view, .count = count};
    int error = pages_get(count * sizeof *plan->nodes, &plan->pages);
    plan->nodes = (void *)plan->pages.bytes;
    return error;
}

static void count_entries(struct plan *plan, const struct query_filter *filter)
{
    for (size_t i = 0; i < plan->view->bucket_count; i++) {
        const struct bucket *bucket = plan->view->buckets[i];
        if (!query_filter_bucket(filter, bucket))
            continue;
        for (size_t j = 0; j < bucket->count; j++) {
            const struct bucket_entry *entry = &bucket->entries[j];
            if (!query_filter_entry(filter, entry))
                continue;
            struct query_count count = {entry->hits, query_filter_time_ns(filter, entry)};
            query_count_add(&plan->nodes[entry->node].self, count);
        }
    }
}

static void read_parents(struct plan *plan)
{
    for (uint32_t i = 1; i < plan->count; i++)
        plan->nodes[i].parent = stack_trie_node(plan->view->trie, i).parent;
}

bool query_is_kernel(const struct profile_view *view, uint32_t location)
{
    uint32_t id = stack_trie_location(view->trie, location).module;
    if (id == 0 || id >= view->module_count)
        return false;
    const struct module *module = profile_view_module(view, id);
    return module && module->kind == MODULE_KERNEL;
}

/* Takes kernel nodes out: their samples and children go to the nearest ancestor that is none. */
static int hide_kernel(struct plan *plan)
{
    const struct profile_view *view = plan->view;
    uint32_t location_count = stack_trie_location_count(view->trie);
    _cleanup_free_ unsigned char *kernel = malloc(location_count + 1ul);
    _cleanup_free_ uint32_t *shown = calloc(plan->count, sizeof *shown);
    if (!kernel || !shown)
        return -ENOMEM;
    for (uint32_t i = 0; i < location_count; i++)
        kernel[i] = query_is_kernel(view, i);

    for (uint32_t i = 1; i < plan->count; i++) {
        struct plan_node *node = &plan->nodes[i];
        node->parent = shown[node->parent];
        shown[i] = i;
        if (kernel[stack_trie_node(view->trie, i).location]) {
            shown[i] = node->parent;
            query_count_add(&plan->nodes[node->parent].self, node->self);
            node->self = (struct query_count){0};
        }
    }
    return 0;
}

/* A parent's id is smaller than its children's: backwards, every subtree is complete in time. */
static void sum_subtrees(struct plan *plan)
{
    for (uint32_t i = plan->count; i-- > 0;) {
        struct plan_node *node = &plan->nodes[i];
        query_count_add(&node->total, node->self);
        if (i > 0 && node->total.hits == 0 && node->total.time_ns == 0)
            continue;
        node->size++;
        if (i > 0) {
            query_count_add(&plan->nodes[node->parent].total, node->total);
            plan->nodes[node->parent].size += node->size;
        }
    }
}

/* The root is first, a child right behind what its parent and earlier siblings take. */
static void place(struct plan *plan, struct query_walk *walk)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        struct plan_node *node = &plan->nodes[i];
        uint32_t size = node->size, position = 0;
        if (size == 0)
            continue;
        if (i > 0) {
            position = plan->nodes[node->parent].next;
            plan->nodes[node->parent].next += size;
        }
        node->next = position + 1;
        walk->location[position] = i ? stack_trie_node(plan->view->trie, i).location : 0;
        walk->end[position] = position + size;
        walk->self[position] = node->self;
        walk->total[position] = node->total;
    }
}

static int walk_init(struct query_walk *walk, struct plan *plan)
{
    size_t count = plan->nodes[0].size;
    *walk = (struct query_walk){
        .all = {plan->nodes[0].total.hits, plan->nodes[0].total.time_ns},
        .count = (uint32_t)count,
        .location_count = stack_trie_location_count(plan->view->trie),
    };
    int error = pages_get(count * (sizeof *walk->self + sizeof *walk->total +
                                   sizeof *walk->location + sizeof *walk->end),
                          &walk->pages);
    if (error)
        return error;
    walk->self = (void *)walk->pages.bytes;
    walk->total = walk->self + count;
    walk->location = (void *)(walk->total + count);
    walk->end = walk->location + count;
    place(plan, walk);
    return 0;
}

int query_walk_new(const struct profile_view *view, const struct query_options *options,
                   struct query_walk **ret_walk)
{
    _cleanup_query_filter_ struct query_filter filter;
    int error = query_filter_init(&filter, view, options);
    if (error)
        return error;

    _cleanup_plan_ struct plan plan;
    error = plan_init(&plan, view);
    if (error)
        return error;
    count_entries(&plan, &filter);
    read_parents(&plan);
    if (options->hide_kernel)
        error = hide_kernel(&plan);
    if (error)
        return error;
    sum_subtrees(&plan);

    _cleanup_query_walk_ struct query_walk *walk = calloc(1, sizeof *walk);
    if (!walk)
        return -ENOMEM;
    error = walk_init(walk, &plan);
    if (!error)
        *ret_walk = take_pointer(walk);
    return error;
}

void query_walk_free(struct query_walk *walk)
{
    if (!walk)
        return;
    pages_free(&walk->pages);
    free(walk);
}
