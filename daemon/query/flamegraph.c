/* The flame graph: stacks merged by function, cold parts folded. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "query/flame_builder.h"
#include "query/focus.h"

static void graph_cleanup(struct query_flamegraph **graph)
{
    query_flamegraph_free(*graph);
}

#define _cleanup_graph_ _cleanup_(graph_cleanup)

/* Where the nodes' functions are declared. */
static int add_declarations(struct query_flamegraph *graph, const struct symbols *symbols)
{
    graph->file = calloc(graph->count, sizeof *graph->file);
    graph->line = calloc(graph->count, sizeof *graph->line);
    if (!graph->file || !graph->line)
        return -ENOMEM;
    symbols_lock_shared(symbols);
    for (uint32_t i = 0; i < graph->count; i++) {
        if (graph->function[i] == QUERY_ROOT || graph->function[i] == QUERY_OTHER)
            continue;
        struct symbol_function function = symbols_function(symbols, graph->function[i]);
        graph->file[i] = function.file;
        graph->line[i] = function.line;
    }
    symbols_unlock(symbols);
    return 0;
}

int query_flamegraph(const struct profile_view *view, const struct query_options *options,
                     const struct query_flamegraph_options *shape,
                     struct query_flamegraph **ret_graph)
{
    _cleanup_query_walk_ struct query_walk *walk = NULL;
    _cleanup_query_frames_ struct query_frames *frames = NULL;
    _cleanup_free_ unsigned char *center = NULL;
    _cleanup_graph_ struct query_flamegraph *graph = calloc(1, sizeof *graph);
    if (!graph)
        return -ENOMEM;
    int error = query_walk_new(view, options, &walk);
    if (!error)
        error = query_frames_new(view, walk, options->inlines, &frames);
    if (!error && shape->center)
        error = query_focus_frames(view, shape->center, frames, &center);
    if (!error)
        error = flame_build(walk, frames, shape, center, graph);
    if (!error)
        error = add_declarations(graph, view->symbols);
    if (!error)
        *ret_graph = take_pointer(graph);
    return error;
}

void query_flamegraph_free(struct query_flamegraph *graph)
{
    if (!graph)
        return;
    free(graph->parent);
    free(graph->function);
    free(graph->folded);
    free(graph->file);
    free(graph->line);
    free(graph->self_hits);
    free(graph->total_hits);
    free(graph->self_time_ns);
    free(graph->total_time_ns);
    free(graph);
}
