/* The flame graph: stacks merged by function, cold parts folded. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "query/frames.h"

#define NO_NODE UINT32_MAX

/* A frame of a node of the walk. Those with equal function paths make one node of the graph. */
struct member {
    uint32_t position; /* in the walk */
    uint32_t frame;    /* in the frames */
};

/* A node whose children are still to be found, and its members. */
struct task {
    uint32_t node;
    size_t first_member, member_count;
};

/* A child found below a node of the graph, and the task that it becomes unless it is folded. */
struct child {
    uint32_t function;
    bool folded;
    struct task task;
    struct query_count total;
};

struct found {
    struct member member;
    uint32_t child;
};

/*
 * The tasks are a stack, so that what is being worked on stays close together. The last task's
 * members are the last ones, and are replaced by those of its children.
 */
struct builder {
    const struct query_walk *walk;
    const struct query_frames *frames;
    double min_share;
    struct query_flamegraph *graph;
    size_t node_capacity;
    struct member *members; /* owned; of all tasks */
    size_t member_count, member_capacity;
    struct task *tasks; /* owned */
    size_t task_count, task_capacity;
    struct child *children; /* owned; of the node at hand */
    size_t child_count, child_capacity;
    struct found *found; /* owned; of the node at hand */
    size_t found_count, found_capacity;
    uint32_t *child_of_function; /* owned; of the node at hand */
    uint32_t *asked_by;          /* owned; per function: node that child_of_function is for */
};

static void builder_clear(struct builder *builder)
{
    query_flamegraph_free(builder->graph);
    free(builder->members);
    free(builder->tasks);
    free(builder->children);
    free(builder->found);
    free(builder->child_of_function);
    free(builder->asked_by);
}

#define _cleanup_builder_ __attribute__((cleanup(builder_clear)))

/* Makes room in all columns; their capacities grow in step. */
static int reserve_node(struct builder *builder)
{
    struct query_flamegraph *graph = builder->graph;
    size_t want = graph->count + 1ul;
    if (want <= builder->node_capacity)
        return 0;
    size_t capacity[6];
    for (size_t i = 0; i < array_length(capacity); i++)
        capacity[i] = builder->node_capacity;
    if (want >= QUERY_OTHER ||
        array_reserve(&graph->parent, &capacity[0], want, sizeof *graph->parent) ||
        array_reserve(&graph->function, &capacity[1], want, sizeof *graph->function) ||
        array_reserve(&graph->self_hits, &capacity[2], want, sizeof *graph->self_hits) ||
        array_reserve(&graph->total_hits, &capacity[3], want, sizeof *graph->total_hits) ||
        array_reserve(&graph->self_time_ns, &capacity[4], want, sizeof *graph->self_time_ns) ||
        array_reserve(&graph->total_time_ns, &capacity[5], want, sizeof *graph->total_time_ns))
        return -ENOMEM;
    builder->node_capacity = capacity[0];
    return 0;
}

/* Adds a node without self cost. */
static int add_node(struct builder *builder, uint32_t parent, uint32_t function,
                    struct query_count total, uint32_t *ret_node)
{
    int error = reserve_node(builder);
    if (error)
        return error;
    struct query_flamegraph *graph = builder->graph;
    uint32_t node = graph->count++;
    graph->parent[node] = parent;
    graph->function[node] = function;
    graph->self_hits[node] = graph->self_time_ns[node] = 0;
    graph->total_hits[node] = total.hits;
    graph->total_time_ns[node] = total.time_ns;
    *ret_node = node;
    return 0;
}

static void add_self(struct query_flamegraph *graph, uint32_t node, struct query_count self)
{
    graph->self_hits[node] += self.hits;
    graph->self_time_ns[node] += self.time_ns;
}

/* Remembers that `member` is below `node`, as part of the child with its function. */
static int find_child(struct builder *builder, uint32_t node, struct member member)
{
    if (array_reserve(&builder->found, &builder->found_capacity, builder->found_count + 1,
                      sizeof *builder->found))
        return -ENOMEM;
    uint32_t function = builder->frames->frames[member.frame].function;
    if (builder->asked_by[function] != node) {
        if (array_reserve(&builder->children, &builder->child_capacity, builder->child_count + 1,
                          sizeof *builder->children))
            return -ENOMEM;
        builder->asked_by[function] = node;
        builder->child_of_function[function] = (uint32_t)builder->child_count;
        builder->children[builder->child_count++] = (struct child){.function = function};
    }
    uint32_t slot = builder->child_of_function[function];
    builder->children[slot].task.member_count++;
    query_count_add(&builder->children[slot].total, builder->walk->total[member.position]);
    builder->found[builder->found_count++] = (struct found){member, slot};
    return 0;
}

/* The nodes of the walk right below `position`: the physical frame of each. */
static int find_callees(struct builder *builder, uint32_t node, uint32_t position)
{
    const struct query_walk *walk = builder->walk;
    for (uint32_t below = position + 1; below < walk->end[position]; below = walk->end[below]) {
        struct member member = {below, builder->frames->first[walk->location[below] + 1] - 1};
        int error = find_child(builder, node, member);
        if (error)
            return error;
    }
    return 0;
}

static int find_children(struct builder *builder, const struct task *task)
{
    const struct query_walk *walk = builder->walk;
    builder->child_count = builder->found_count = 0;
    for (size_t i = 0; i < task->member_count; i++) {
        struct member member = builder->members[task->first_member + i];
        uint32_t innermost = builder->frames->first[walk->location[member.position]];
        int error;
        if (member.position && member.frame > innermost) {
            member.frame--;
            error = find_child(builder, task->node, member);
        } else {
            add_self(builder->graph, task->node, walk->self[member.position]);
            error = find_callees(builder, task->node, member.position);
        }
        if (error)
            return error;
    }
    return 0;
}

/* Makes a node and a task of each child that is large enough, and one node of all others. */
static int add_children(struct builder *builder, uint32_t node)
{
    struct query_count other = {0};
    for (size_t i = 0; i < builder->child_count; i++) {
        struct child *child = &builder->children[i];
        child->folded = query_share(child->total, builder->walk->all) < builder->min_share;
        if (child->folded) {
            query_count_add(&other, child->total);
            continue;
        }
        child->task.first_member = builder->member_count;
        builder->member_count += child->task.member_count;
        if (array_reserve(&builder->tasks, &builder->task_capacity, builder->task_count + 1,
                          sizeof *builder->tasks) ||
            add_node(builder, node, child->function, child->total, &child->task.node))
            return -ENOMEM;
        builder->tasks[builder->task_count++] = child->task;
    }
    if (!other.hits && !other.time_ns)
        return 0;
    uint32_t folded;
    int error = add_node(builder, node, QUERY_OTHER, other, &folded);
    if (!error)
        add_self(builder->graph, folded, other);
    return error;
}

/* Puts each member found where its child's task has them. */
static int place_members(struct builder *builder)
{
    if (array_reserve(&builder->members, &builder->member_capacity, builder->member_count,
                      sizeof *builder->members))
        return -ENOMEM;
    for (size_t i = 0; i < builder->found_count; i++) {
        struct child *child = &builder->children[builder->found[i].child];
        if (!child->folded)
            builder->members[child->task.first_member++] = builder->found[i].member;
    }
    return 0;
}

static int build(struct builder *builder)
{
    struct task root = {.first_member = 0, .member_count = 1};
    if (add_node(builder, 0, QUERY_ROOT, builder->walk->total[0], &root.node) ||
        array_reserve(&builder->members, &builder->member_capacity, 1, sizeof *builder->members) ||
        array_reserve(&builder->tasks, &builder->task_capacity, 1, sizeof *builder->tasks))
        return -ENOMEM;
    builder->members[0] = (struct member){0};
    builder->tasks[builder->task_count++] = root;
    while (builder->task_count) {
        struct task task = builder->tasks[--builder->task_count];
        int error = find_children(builder, &task);
        builder->member_count = task.first_member;
        if (!error)
            error = add_children(builder, task.node);
        if (!error)
            error = place_members(builder);
        if (error)
            return error;
    }
    return 0;
}

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

static int builder_init(struct builder *builder)
{
    size_t function_count = builder->frames->function_count + 1ul;
    builder->graph = calloc(1, sizeof *builder->graph);
    builder->child_of_function = calloc(function_count, sizeof *builder->child_of_function);
    builder->asked_by = malloc(function_count * sizeof *builder->asked_by);
    if (!builder->graph || !builder->child_of_function || !builder->asked_by)
        return -ENOMEM;
    for (size_t i = 0; i < function_count; i++)
        builder->asked_by[i] = NO_NODE;
    builder->graph->total = builder->walk->all;
    return 0;
}

int query_flamegraph(const struct profile_view *view, const struct query_options *options,
                     double min_percent, struct query_flamegraph **ret_graph)
{
    _cleanup_query_walk_ struct query_walk *walk = NULL;
    _cleanup_query_frames_ struct query_frames *frames = NULL;
    int error = query_walk_new(view, options, &walk);
    if (!error)
        error = query_frames_new(view, walk, options->inlines, &frames);
    if (error)
        return error;

    _cleanup_builder_ struct builder builder = {
        .walk = walk, .frames = frames, .min_share = min_percent / 100};
    error = builder_init(&builder);
    if (!error)
        error = build(&builder);
    if (!error)
        error = add_declarations(builder.graph, view->symbols);
    if (!error)
        *ret_graph = take_pointer(builder.graph);
    return error;
}

void query_flamegraph_free(struct query_flamegraph *graph)
{
    if (!graph)
        return;
    free(graph->parent);
    free(graph->function);
    free(graph->file);
    free(graph->line);
    free(graph->self_hits);
    free(graph->total_hits);
    free(graph->self_time_ns);
    free(graph->total_time_ns);
    free(graph);
}
