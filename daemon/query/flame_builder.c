/* Merging the stacks of a walk into a flame graph: by function or by call site, from either end,
 * cold parts folded. */
#include "query/flame_builder.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "query/flame_nodes.h"
#include "query/flame_tasks.h"

#define NO_NODE UINT32_MAX

/* A frame of a node of the walk. Those with equal paths of keys make one node of the graph. */
struct member {
    uint32_t position; /* in the walk */
    uint32_t frame;    /* in the frames */
    uint32_t origin;   /* position whose samples it stands for: its own, going down */
};

/* A child found below a node of the graph, and where its members will be. */
struct child {
    uint32_t key;
    bool folded;
    uint32_t member_count, span; /* span: place that these and all below them take */
    uint32_t next_member;
    struct query_count total;
};

struct found {
    struct member member;
    uint32_t child;
};

/* Children of a node that are not shown. */
struct fold {
    uint32_t parent, count;
    struct query_count total;
};

/*
 * A task's members lie in a run of `members` that has place for all that will be below them, so
 * that tasks may be done in any order and nothing moves: the last one first, which keeps what is
 * being worked on close together, or with max_nodes the largest one first.
 */
struct builder {
    const struct query_walk *walk;
    const struct query_frames *frames;
    const struct flame_sites *sites; /* what frames merge by; NULL: by their functions */
    const struct query_flamegraph_options *shape;
    struct query_flamegraph *graph;
    struct flame_nodes nodes; /* the graph's */
    double min_share;
    bool up;                           /* from callee to caller */
    const struct query_count *weights; /* of members, by origin */
    uint32_t *parents;                 /* owned; per position of the walk, when going up */
    struct member *members;            /* owned; as many as the walk has nodes */
    struct flame_tasks tasks;
    struct child *children; /* owned; of the node at hand */
    size_t child_count, child_capacity;
    struct found *found; /* owned; of the node at hand */
    size_t found_count, found_capacity;
    struct fold *folds; /* owned */
    size_t fold_count, fold_capacity;
    uint32_t *child_of_key; /* owned; of the node at hand */
    uint32_t *asked_by;     /* owned; per key: node that child_of_key is for */
    uint32_t *unshown;      /* owned; with max_nodes, per node: tasks and folds it still has */
    uint32_t incomplete;    /* nodes with some: each will need an "other" */
};

static void builder_clear(struct builder *builder)
{
    free(builder->parents);
    free(builder->members);
    flame_tasks_clear(&builder->tasks);
    free(builder->children);
    free(builder->found);
    free(builder->folds);
    free(builder->child_of_key);
    free(builder->asked_by);
    free(builder->unshown);
}

#define _cleanup_builder_ __attribute__((cleanup(builder_clear)))

/* --- children --------------------------------------------------------------------------------- */

static int add_fold(struct builder *builder, uint32_t parent, uint32_t count,
                    struct query_count total)
{
    if (array_reserve(&builder->folds, &builder->fold_capacity, builder->fold_count + 1,
                      sizeof *builder->folds))
        return -ENOMEM;
    builder->folds[builder->fold_count++] = (struct fold){parent, count, total};
    return 0;
}

/* What frames merge by: equal keys, one node. */
static uint32_t key_of(const struct builder *builder, uint32_t frame)
{
    return builder->sites ? builder->sites->of_frame[frame]
                          : builder->frames->frames[frame].function;
}

/* Remembers that `member` is below `node`, as part of the child with its key. */
static int find_child(struct builder *builder, uint32_t node, struct member member)
{
    if (array_reserve(&builder->found, &builder->found_capacity, builder->found_count + 1,
                      sizeof *builder->found))
        return -ENOMEM;
    uint32_t key = key_of(builder, member.frame);
    if (builder->asked_by[key] != node) {
        if (array_reserve(&builder->children, &builder->child_capacity, builder->child_count + 1,
                          sizeof *builder->children))
            return -ENOMEM;
        builder->asked_by[key] = node;
        builder->child_of_key[key] = (uint32_t)builder->child_count;
        builder->children[builder->child_count++] = (struct child){.key = key};
    }
    uint32_t slot = builder->child_of_key[key];
    struct child *child = &builder->children[slot];
    child->member_count++;
    child->span += builder->up ? 1 : builder->walk->end[member.position] - member.position;
    query_count_add(&child->total, builder->weights[member.origin]);
    builder->found[builder->found_count++] = (struct found){member, slot};
    return 0;
}

/* The nodes of the walk right below `position`: the physical frame of each. */
static int find_callees(struct builder *builder, uint32_t node, uint32_t position)
{
    const struct query_walk *walk = builder->walk;
    for (uint32_t below = position + 1; below < walk->end[position]; below = walk->end[below]) {
        uint32_t physical = builder->frames->first[walk->location[below] + 1] - 1;
        int error = find_child(builder, node, (struct member){below, physical, below});
        if (error)
            return error;
    }
    return 0;
}

static int step_down(struct builder *builder, uint32_t node, struct member member)
{
    const struct query_walk *walk = builder->walk;
    if (member.frame > builder->frames->first[walk->location[member.position]]) {
        member.frame--;
        return find_child(builder, node, member);
    }
    flame_node_add_self(builder->graph, node, walk->self[member.position]);
    return find_callees(builder, node, member.position);
}

/* Where there is no caller the stack begins: that is a bottom-up node's self cost. */
static int step_up(struct builder *builder, uint32_t node, struct member member)
{
    const struct query_walk *walk = builder->walk;
    if (++member.frame == builder->frames->first[walk->location[member.position] + 1]) {
        member.position = builder->parents[member.position];
        member.frame = builder->frames->first[walk->location[member.position]];
    }
    if (member.position)
        return find_child(builder, node, member);
    flame_node_add_self(builder->graph, node, builder->weights[member.origin]);
    return 0;
}

/* Makes a task of each child that is large enough, and a fold of all others. */
static int keep_children(struct builder *builder, uint32_t node, uint32_t first_member)
{
    struct query_total all = builder->graph->total;
    struct fold folded = {.parent = node};
    for (size_t i = 0; i < builder->child_count; i++) {
        struct child *child = &builder->children[i];
        child->folded = query_share(child->total, all) < builder->min_share;
        if (child->folded) {
            query_count_add(&folded.total, child->total);
            folded.count++;
            continue;
        }
        child->next_member = first_member;
        int error = flame_tasks_push(
            &builder->tasks,
            (struct flame_task){node, child->key, first_member, child->member_count, child->total});
        if (error)
            return error;
        first_member += child->span;
    }
    for (size_t i = 0; i < builder->found_count; i++) {
        struct child *child = &builder->children[builder->found[i].child];
        if (!child->folded)
            builder->members[child->next_member++] = builder->found[i].member;
    }
    if (builder->unshown && builder->child_count) {
        builder->unshown[node] = (uint32_t)builder->child_count;
        builder->incomplete++;
    }
    return folded.count ? add_fold(builder, node, folded.count, folded.total) : 0;
}

static int do_task(struct builder *builder, const struct flame_task *task)
{
    uint32_t node;
    int error = flame_node_add(&builder->nodes, task->parent, task->key, task->total, &node);
    if (error)
        return error;
    if (builder->unshown && --builder->unshown[task->parent] == 0)
        builder->incomplete--;
    builder->child_count = builder->found_count = 0;
    for (uint32_t i = 0; i < task->member_count && !error; i++) {
        struct member member = builder->members[task->first_member + i];
        error = builder->up ? step_up(builder, node, member) : step_down(builder, node, member);
    }
    return error ? error : keep_children(builder, node, task->first_member);
}

/* --- the root --------------------------------------------------------------------------------- */

/* Each stack's outermost frame that is the center: samples count once however it recurs. */
static int find_centers(struct builder *builder, const unsigned char *center)
{
    const struct query_walk *walk = builder->walk;
    int error = 0;
    for (uint32_t position = 1; position < walk->count && !error;) {
        uint32_t first = builder->frames->first[walk->location[position]];
        uint32_t frame = builder->frames->first[walk->location[position] + 1];
        while (frame > first && !center[frame - 1])
            frame--;
        if (frame == first) {
            position++;
            continue;
        }
        error = find_child(builder, 0, (struct member){position, frame - 1, position});
        position = walk->end[position];
    }
    return error;
}

static int find_leaves(struct builder *builder)
{
    const struct query_walk *walk = builder->walk;
    int error = 0;
    for (uint32_t i = 1; i < walk->count && !error; i++)
        if (walk->self[i].hits || walk->self[i].time_ns)
            error = find_child(builder, 0,
                               (struct member){i, builder->frames->first[walk->location[i]], i});
    return error;
}

static int add_root(struct builder *builder, const unsigned char *center)
{
    uint32_t root;
    struct query_count total = {0};
    int error = flame_node_add(&builder->nodes, 0, QUERY_ROOT, total, &root);
    if (error)
        return error;
    if (center)
        error = find_centers(builder, center);
    else if (builder->up)
        error = find_leaves(builder);
    else
        error = find_callees(builder, root, 0);
    if (!center) /* samples without any frame */
        flame_node_add_self(builder->graph, root, builder->walk->self[0]);
    for (size_t i = 0; i < builder->child_count; i++)
        query_count_add(&total, builder->children[i].total);
    struct query_flamegraph *graph = builder->graph;
    graph->total_hits[root] = total.hits + graph->self_hits[root];
    graph->total_time_ns[root] = total.time_ns + graph->self_time_ns[root];
    graph->total = (struct query_total){graph->total_hits[root], graph->total_time_ns[root]};
    return error ? error : keep_children(builder, root, 0);
}

/* --- the whole -------------------------------------------------------------------------------- */

static int builder_init(struct builder *builder)
{
    const struct query_walk *walk = builder->walk;
    size_t keys = builder->sites ? builder->sites->count : builder->frames->function_count;
    builder->members = malloc(walk->count * sizeof *builder->members);
    builder->child_of_key = calloc(keys + 1ul, sizeof *builder->child_of_key);
    builder->asked_by = malloc((keys + 1ul) * sizeof *builder->asked_by);
    if (builder->up)
        builder->parents = calloc(walk->count, sizeof *builder->parents);
    if (builder->shape->max_nodes)
        builder->unshown = calloc(builder->shape->max_nodes + 1ul, sizeof *builder->unshown);
    if (!builder->members || !builder->child_of_key || !builder->asked_by ||
        (builder->up && !builder->parents) || (builder->shape->max_nodes && !builder->unshown))
        return -ENOMEM;
    for (size_t i = 0; i <= keys; i++)
        builder->asked_by[i] = NO_NODE;
    for (uint32_t i = 0; builder->up && i < walk->count; i++)
        for (uint32_t below = i + 1; below < walk->end[i]; below = walk->end[below])
            builder->parents[below] = i;
    return 0;
}

/* Another node may have to have an "other" of its own. */
static bool has_room(const struct builder *builder)
{
    return !builder->unshown ||
           builder->graph->count + builder->incomplete + 2ul <= builder->shape->max_nodes;
}

/* One "other" for each node that has children which are not shown. */
static int add_others(struct builder *builder)
{
    struct query_flamegraph *graph = builder->graph;
    _cleanup_free_ uint32_t *other_of = calloc(graph->count, sizeof *other_of);
    if (!other_of)
        return -ENOMEM;
    for (size_t i = 0; i < builder->fold_count; i++) {
        const struct fold *fold = &builder->folds[i];
        uint32_t *other = &other_of[fold->parent];
        int error = *other ? 0
                           : flame_node_add(&builder->nodes, fold->parent, QUERY_OTHER,
                                            (struct query_count){0}, other);
        if (error)
            return error;
        graph->folded[*other] += fold->count;
        graph->total_hits[*other] += fold->total.hits;
        graph->total_time_ns[*other] += fold->total.time_ns;
        flame_node_add_self(graph, *other, fold->total);
    }
    return 0;
}

int flame_build(const struct query_walk *walk, const struct query_frames *frames,
                const struct flame_sites *sites, const struct query_flamegraph_options *shape,
                const unsigned char *center, struct query_flamegraph *graph)
{
    _cleanup_builder_ struct builder builder = {
        .walk = walk,
        .frames = frames,
        .sites = sites,
        .shape = shape,
        .graph = graph,
        .nodes = {.graph = graph},
        .min_share = shape->min_percent / 100,
        .tasks = {.largest_first = shape->max_nodes > 0},
        .up = center ? shape->callers : shape->inverted,
    };
    builder.weights = builder.up && !center ? walk->self : walk->total;
    int error = builder_init(&builder);
    if (!error)
        error = add_root(&builder, center);
    while (!error && builder.tasks.count && has_room(&builder)) {
        struct flame_task task = flame_tasks_pop(&builder.tasks);
        error = do_task(&builder, &task);
    }
    for (size_t i = 0; i < builder.tasks.count && !error; i++)
        error = add_fold(&builder, builder.tasks.items[i].parent, 1, builder.tasks.items[i].total);
    return error ? error : add_others(&builder);
}
