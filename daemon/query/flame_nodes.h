/* The nodes of a flame graph that is being made. */
#pragma once

#include "query/cost.h"

struct flame_nodes {
    struct query_flamegraph *graph; /* borrowed: its columns grow */
    size_t capacity;                /* of each of them but file and line, which are not touched */
};

/* Adds one without self cost. 0 or -ENOMEM. */
int flame_node_add(struct flame_nodes *nodes, uint32_t parent, uint32_t key,
                   struct query_count total, uint32_t *ret_node);
void flame_node_add_self(struct query_flamegraph *graph, uint32_t node, struct query_count self);
