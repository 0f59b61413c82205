/* Flame graphs of every shape, of random profiles, against counting each stack frame by frame. */
#include "random_profile.h"

static void graph_cleanup(struct query_flamegraph **graph)
{
    query_flamegraph_free(*graph);
}

#define _cleanup_graph_ _cleanup_(graph_cleanup)
#define FRAMES_MAX 64

static struct query_flamegraph *get_shape(struct fixture *f, struct query_flamegraph_options shape)
{
    struct query_flamegraph *graph = NULL;
    assert_int_equal(query_flamegraph(&f->view, &f->options, &shape, &graph), 0);
    return graph;
}

static bool is_center(const struct fixture *f, const char *center, const struct frame *frame)
{
    char place[64];
    const char *path = f->symbols.files[frame->file].path;
    snprintf(place, sizeof place, "%s:%u", path, frame->line);
    if (!strcmp(place, center) || (*path && !strcmp(strrchr(place, '/') + 1, center)))
        return true;
    return !strcmp(f->symbols.functions[frame->function].name, center);
}

/* What the graph tells apart. */
struct step {
    uint32_t function, file, line; /* file and line: 0 unless by sites */
};

static struct step step_of(const struct query_flamegraph_options *shape, const struct frame *frame)
{
    return (struct step){frame->function, shape->sites ? frame->file : 0,
                         shape->sites ? frame->line : 0};
}

/* The frames of a stack in the order of the graph; false when the graph leaves the stack out. */
static bool arrange(const struct fixture *f, const struct query_flamegraph_options *shape,
                    uint32_t node, struct step *ret_steps, size_t *ret_count)
{
    struct frame frames[FRAMES_MAX];
    size_t count = expand(f, node, frames), from = count;
    bool up = shape->center ? shape->callers : shape->inverted;
    if (shape->center) {
        while (from && !is_center(f, shape->center, &frames[from - 1]))
            from--;
        if (!from)
            return false;
    }
    *ret_count = 0;
    if (up)
        for (size_t i = shape->center ? from - 1 : 0; i < count; i++)
            ret_steps[(*ret_count)++] = step_of(shape, &frames[i]);
    else
        for (size_t i = from; i > 0; i--)
            ret_steps[(*ret_count)++] = step_of(shape, &frames[i - 1]);
    return true;
}

/* The way from the root to a node of the graph. */
static size_t path_to(const struct query_flamegraph_options *shape,
                      const struct query_flamegraph *graph, uint32_t node, struct step *ret_steps)
{
    size_t depth = 0;
    for (uint32_t at = node; at; at = graph->parent[at])
        depth++;
    for (size_t i = depth; i > 0; i--, node = graph->parent[node])
        ret_steps[i - 1] =
            (struct step){graph->function[node], shape->sites ? graph->file[node] : 0,
                          shape->sites ? graph->line[node] : 0};
    return depth;
}

static void compare_node(const struct fixture *f, const struct query_flamegraph_options *shape,
                         const struct query_flamegraph *graph, uint32_t node)
{
    struct step path[FRAMES_MAX], steps[FRAMES_MAX];
    size_t depth = path_to(shape, graph, node, path), count;
    uint64_t total = 0, self = 0;
    const struct bucket *bucket = f->buckets[0];
    for (size_t i = 0; i < bucket->count; i++) {
        if (!arrange(f, shape, bucket->entries[i].node, steps, &count) || count < depth ||
            memcmp(steps, path, depth * sizeof path[0]) != 0)
            continue;
        total += bucket->entries[i].hits;
        self += count == depth ? bucket->entries[i].hits : 0;
    }
    assert_int_equal(graph->total_hits[node], total);
    assert_int_equal(graph->self_hits[node], self);
    assert_int_equal(graph->total_time_ns[node], total * SAMPLE_NS);
    assert_int_equal(graph->self_time_ns[node], self * SAMPLE_NS);
}

static void assert_sums_hold(const struct query_flamegraph *graph)
{
    uint64_t hits[4096] = {0}, times_ns[4096] = {0};
    assert_true(graph->count <= array_length(hits));
    for (uint32_t i = graph->count; i-- > 0;) {
        assert_true(i == 0 || graph->parent[i] < i);
        assert_int_equal(graph->total_hits[i], graph->self_hits[i] + hits[i]);
        assert_int_equal(graph->total_time_ns[i], graph->self_time_ns[i] + times_ns[i]);
        assert_int_equal(graph->folded[i] > 0, graph->function[i] == QUERY_OTHER);
        if (i) {
            hits[graph->parent[i]] += graph->total_hits[i];
            times_ns[graph->parent[i]] += graph->total_time_ns[i];
        }
    }
    assert_int_equal(graph->total_hits[0], graph->total.hits);
    assert_int_equal(graph->total_time_ns[0], graph->total.time_ns);
}

/* Children of one parent are different ones, so that every path is there once. */
static void assert_children_differ(const struct query_flamegraph_options *shape,
                                   const struct query_flamegraph *graph)
{
    for (uint32_t i = 1; i < graph->count; i++)
        for (uint32_t j = i + 1; j < graph->count; j++)
            assert_false(graph->parent[i] == graph->parent[j] &&
                         graph->function[i] == graph->function[j] &&
                         (!shape->sites ||
                          (graph->file[i] == graph->file[j] && graph->line[i] == graph->line[j])));
}

static void compare_shape(struct fixture *f, struct query_flamegraph_options shape)
{
    _cleanup_graph_ struct query_flamegraph *graph = get_shape(f, shape);
    assert_sums_hold(graph);
    assert_children_differ(&shape, graph);
    for (uint32_t i = 0; i < graph->count; i++)
        compare_node(f, &shape, graph, i);
}

static void compare_shapes(struct fixture *f)
{
    static const char *const centers[] = {"f(int, char)", "a;b\\", "/src/a.c:3",
                                          "a.c:3",        "b.c:4", "nowhere"};
    for (int sites = 0; sites < 2; sites++) {
        compare_shape(f, (struct query_flamegraph_options){.sites = sites});
        compare_shape(f, (struct query_flamegraph_options){.inverted = true, .sites = sites});
        for (size_t i = 0; i < array_length(centers); i++) {
            struct query_flamegraph_options shape = {.center = centers[i], .sites = sites};
            compare_shape(f, shape);
            shape.callers = true;
            compare_shape(f, shape);
        }
    }
}

/* What is left out is smaller than what is shown, and no more than has to be. */
static void assert_largest_are_shown(const struct query_flamegraph *pruned,
                                     const struct query_flamegraph *full, uint32_t max_nodes)
{
    uint32_t shown = 0, larger = 0, want = full->count < max_nodes ? full->count : max_nodes;
    uint64_t smallest_ns = UINT64_MAX;
    assert_true(pruned->count <= max_nodes && pruned->count + 1 >= want);
    for (uint32_t i = 0; i < pruned->count; i++) {
        if (pruned->function[i] == QUERY_OTHER)
            continue;
        shown++;
        if (pruned->total_time_ns[i] < smallest_ns)
            smallest_ns = pruned->total_time_ns[i];
    }
    for (uint32_t i = 0; i < full->count; i++)
        larger += full->function[i] != QUERY_OTHER && full->total_time_ns[i] > smallest_ns;
    assert_true(larger <= shown);
}

static void compare_pruned(struct fixture *f, struct query_flamegraph_options shape)
{
    _cleanup_graph_ struct query_flamegraph *full = get_shape(f, shape);
    for (uint32_t nodes = 2; nodes < full->count + 3; nodes += nodes / 3 + 1) {
        shape.max_nodes = nodes;
        _cleanup_graph_ struct query_flamegraph *pruned = get_shape(f, shape);
        assert_sums_hold(pruned);
        assert_children_differ(&shape, pruned);
        assert_largest_are_shown(pruned, full, nodes);
        assert_int_equal(pruned->total.hits, full->total.hits);
        for (uint32_t i = 0; i < pruned->count; i++)
            if (pruned->function[i] != QUERY_OTHER && i)
                assert_true(pruned->total_hits[i] > 0);
    }
}

/* The path to a node as focus takes it, every name escaped. */
static void write_path(const struct fixture *f, const struct query_flamegraph *graph, uint32_t node,
                       char *ret_text)
{
    const struct query_flamegraph_options by_function = {0};
    struct step steps[FRAMES_MAX];
    size_t depth = path_to(&by_function, graph, node, steps);
    for (size_t i = 0; i < depth; i++) {
        *ret_text++ = ';';
        for (const char *name = f->symbols.functions[steps[i].function].name; *name; name++) {
            if (*name == ';' || *name == '\\')
                *ret_text++ = '\\';
            *ret_text++ = *name;
        }
    }
    *ret_text = '\0';
}

/* The hits of all nodes whose path has the same names: functions may share one. */
static uint64_t hits_of_path(const struct fixture *f, const struct query_flamegraph *graph,
                             const char *path)
{
    char other[2048];
    uint64_t hits = 0;
    for (uint32_t i = 1; i < graph->count; i++) {
        write_path(f, graph, i, other);
        hits += strcmp(path, other) ? 0 : graph->total_hits[i];
    }
    return hits;
}

static void compare_paths(struct fixture *f)
{
    _cleanup_graph_ struct query_flamegraph *graph =
        get_shape(f, (struct query_flamegraph_options){0});
    for (uint32_t i = 1; i < graph->count; i += 3) {
        char path[2048];
        write_path(f, graph, i, path);
        set_focus(f, path);
        _cleanup_graph_ struct query_flamegraph *focused =
            get_shape(f, (struct query_flamegraph_options){0});
        set_focus(f, NULL);
        set_hide(f, path);
        _cleanup_graph_ struct query_flamegraph *rest =
            get_shape(f, (struct query_flamegraph_options){0});
        set_hide(f, NULL);
        uint64_t hits = hits_of_path(f, graph, path);
        assert_int_equal(focused->total.hits, hits);
        assert_int_equal(rest->total.hits, graph->total.hits - hits);
    }
}

static void check_pruned(struct fixture *f)
{
    compare_pruned(f, (struct query_flamegraph_options){0});
    compare_pruned(f, (struct query_flamegraph_options){.inverted = true});
    compare_pruned(f, (struct query_flamegraph_options){.min_percent = 2});
    compare_pruned(f, (struct query_flamegraph_options){.center = "a.c:3"});
    compare_pruned(f, (struct query_flamegraph_options){.center = "a.c:3", .callers = true});
    compare_pruned(f, (struct query_flamegraph_options){.sites = true});
    compare_pruned(
        f, (struct query_flamegraph_options){.center = "a.c:3", .callers = true, .sites = true});
}

static void every_shape_agrees_with_brute_force(void **state)
{
    (void)state;
    for_each_profile(compare_shapes, 15);
}

static void pruning_keeps_the_largest_nodes_and_the_sums(void **state)
{
    (void)state;
    for_each_profile(check_pruned, 10);
}

static void every_path_can_be_asked_for_again(void **state)
{
    (void)state;
    for_each_profile(compare_paths, 10);
}

static void a_path_is_no_center(void **state)
{
    struct fixture *f = *state;
    struct query_flamegraph *graph = NULL;
    static const char *const bad[] = {"", ";", ";main", "a.c:0"};
    for (size_t i = 0; i < array_length(bad); i++) {
        struct query_flamegraph_options shape = {.center = bad[i]};
        assert_int_equal(query_flamegraph(&f->view, &f->options, &shape, &graph), -EINVAL);
    }
    assert_null(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_agrees_with_brute_force),
        cmocka_unit_test(pruning_keeps_the_largest_nodes_and_the_sums),
        cmocka_unit_test(every_path_can_be_asked_for_again),
        query_test(a_path_is_no_center),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
