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

static bool is_function(uint32_t function)
{
    return function != QUERY_ROOT && function != QUERY_OTHER;
}

/* Where the nodes' functions are declared. */
static void add_declarations(struct query_flamegraph *graph, const struct symbols *symbols)
{
    symbols_lock_shared(symbols);
    for (uint32_t i = 0; i < graph->count; i++) {
        if (!is_function(graph->function[i]))
            continue;
        struct symbol_function function = symbols_function(symbols, graph->function[i]);
        graph->file[i] = function.file;
        graph->line[i] = function.line;
    }
    symbols_unlock(symbols);
}

/* The functions of the nodes' sites, and where they are. */
static void add_sites(struct query_flamegraph *graph, const struct query_frames *frames,
                      const struct flame_sites *sites)
{
    for (uint32_t i = 0; i < graph->count; i++) {
        if (!is_function(graph->function[i]))
            continue;
        const struct frame *frame = &frames->frames[sites->frame[graph->function[i]]];
        graph->function[i] = frame->function;
        graph->file[i] = frame->file;
        graph->line[i] = frame->line;
    }
}

static int add_places(struct query_flamegraph *graph, const struct profile_view *view,
                      const struct query_frames *frames, const struct flame_sites *sites)
{
    graph->file = calloc(graph->count, sizeof *graph->file);
    graph->line = calloc(graph->count, sizeof *graph->line);
    if (!graph->file || !graph->line)
        return -ENOMEM;
    if (sites)
        add_sites(graph, frames, sites);
    else
        add_declarations(graph, view->symbols);
    return 0;
}

int query_flamegraph(const struct profile_view *view, const struct query_options *options,
                     const struct query_flamegraph_options *shape,
                     struct query_flamegraph **ret_graph)
{
    _cleanup_query_walk_ struct query_walk *walk = NULL;
    _cleanup_query_frames_ struct query_frames *frames = NULL;
    _cleanup_flame_sites_ struct flame_sites *sites = NULL;
    _cleanup_free_ unsigned char *center = NULL;
    _cleanup_graph_ struct query_flamegraph *graph = calloc(1, sizeof *graph);
    if (!graph)
        return -ENOMEM;
    int error = query_walk_new(view, options, &walk);
    if (!error)
        error = query_frames_new(view, walk, options->inlines, &frames);
    if (!error && shape->sites)
        error = flame_sites_new(frames, &sites);
    if (!error && shape->center)
        error = query_focus_frames(view, shape->center, frames, &center);
    if (!error)
        error = flame_build(walk, frames, sites, shape, center, graph);
    if (!error)
        error = add_places(graph, view, frames, sites);
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
