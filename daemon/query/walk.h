/* The shared first step of every query: the filtered samples on the stack trie, in walking order.
 */
#pragma once

#include "base/pages.h"
#include "query/cost.h"

/*
 * The nodes that the filtered samples touch, parents before children and each subtree in one run
 * (preorder), so that "below this node" is "before its end", and one pass over the arrays visits
 * the stacks like a depth-first search without recursion or child lists. Position 0 is the root,
 * which has no frame.
 */
struct query_walk {
    struct query_total all;    /* the filtered range */
    uint32_t count;            /* at least 1 */
    uint32_t location_count;   /* all locations are below */
    struct pages pages;        /* owned: of the arrays */
    uint32_t *location;        /* location[0] is meaningless */
    uint32_t *end;             /* position after the node's subtree */
    struct query_count *self;  /* samples whose leaf is this node */
    struct query_count *total; /* samples of the subtree */
};

/* 0, -ENOMEM, or -EINVAL for a focus that cannot be understood. O(nodes + entries). */
int query_walk_new(const struct profile_view *view, const struct query_options *options,
                   struct query_walk **ret_walk);
/* True for a location in the kernel: with hide_kernel no walk has it. */
bool query_is_kernel(const struct profile_view *view, uint32_t location);

void query_walk_free(struct query_walk *walk);

static inline void query_walk_cleanup(struct query_walk **walk)
{
    query_walk_free(*walk);
}

#define _cleanup_query_walk_ __attribute__((cleanup(query_walk_cleanup)))
