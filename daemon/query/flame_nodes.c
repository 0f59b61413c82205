/* The nodes of a flame graph that is being made. */
#include "query/flame_nodes.h"

#include <errno.h>

#include "base/array.h"
#include "base/cleanup.h"

/* Makes room in all columns; their capacities grow in step. */
static int reserve_node(struct flame_nodes *nodes)
{
    struct query_flamegraph *graph = nodes->graph;
    size_t want = graph->count + 1ul;
    if (want <= nodes->capacity)
        return 0;
    size_t capacity[7];
    for (size_t i = 0; i < array_length(capacity); i++)
        capacity[i] = nodes->capacity;
    if (want >= QUERY_OTHER ||
        array_reserve(&graph->parent, &capacity[0], want, sizeof *graph->parent) ||
        array_reserve(&graph->function, &capacity[1], want, sizeof *graph->function) ||
        array_reserve(&graph->folded, &capacity[2], want, sizeof *graph->folded) ||
        array_reserve(&graph->self_hits, &capacity[3], want, sizeof *graph->self_hits) ||
        array_reserve(&graph->total_hits, &capacity[4], want, sizeof *graph->total_hits) ||
        array_reserve(&graph->self_time_ns, &capacity[5], want, sizeof *graph->self_time_ns) ||
        array_reserve(&graph->total_time_ns, &capacity[6], want, sizeof *graph->total_time_ns))
        return -ENOMEM;
    nodes->capacity = capacity[0];
    return 0;
}

int flame_node_add(struct flame_nodes *nodes, uint32_t parent, uint32_t key,
                   struct query_count total, uint32_t *ret_node)
{
    int error = reserve_node(nodes);
    if (error)
        return error;
    struct query_flamegraph *graph = nodes->graph;
    uint32_t node = graph->count++;
    graph->parent[node] = parent;
    graph->function[node] = key;
    graph->folded[node] = 0;
    graph->self_hits[node] = graph->self_time_ns[node] = 0;
    graph->total_hits[node] = total.hits;
    graph->total_time_ns[node] = total.time_ns;
    *ret_node = node;
    return 0;
}

void flame_node_add_self(struct query_flamegraph *graph, uint32_t node, struct query_count self)
{
    graph->self_hits[node] += self.hits;
    graph->self_time_ns[node] += self.time_ns;
}
