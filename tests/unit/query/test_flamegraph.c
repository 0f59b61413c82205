/* The flame graph: merging by function, inlines, folding, and sums that hold. */
#include "fixture.h"

static void graph_cleanup(struct query_flamegraph **graph)
{
    query_flamegraph_free(*graph);
}

#define _cleanup_graph_ _cleanup_(graph_cleanup)

static struct query_flamegraph *get_shape(struct fixture *f, struct query_flamegraph_options shape)
{
    struct query_flamegraph *graph = NULL;
    assert_int_equal(query_flamegraph(&f->view, &f->options, &shape, &graph), 0);
    return graph;
}

static struct query_flamegraph *get_graph(struct fixture *f, double min_percent)
{
    return get_shape(f, (struct query_flamegraph_options){.min_percent = min_percent});
}

/* Parents first; each node's total is its self and its children's totals; the root has it all. */
static void assert_sums_hold(const struct query_flamegraph *graph)
{
    uint64_t *below = calloc(graph->count, sizeof *below);
    uint64_t *time_below = calloc(graph->count, sizeof *time_below);
    assert_true(below && time_below);
    for (uint32_t i = 1; i < graph->count; i++) {
        assert_true(graph->parent[i] < i);
        below[graph->parent[i]] += graph->total_hits[i];
        time_below[graph->parent[i]] += graph->total_time_ns[i];
    }
    for (uint32_t i = 0; i < graph->count; i++) {
        assert_int_equal(graph->total_hits[i], graph->self_hits[i] + below[i]);
        assert_int_equal(graph->total_time_ns[i], graph->self_time_ns[i] + time_below[i]);
    }
    assert_int_equal(graph->function[0], QUERY_ROOT);
    assert_int_equal(graph->parent[0], 0);
    assert_int_equal(graph->total_hits[0], graph->total.hits);
    assert_int_equal(graph->total_time_ns[0], graph->total.time_ns);
    free(below);
    free(time_below);
}

/* The child of `node` that shows `function`. */
static uint32_t child_of(const struct query_flamegraph *graph, uint32_t node, uint32_t function)
{
    uint32_t found = 0;
    for (uint32_t i = 1; i < graph->count; i++)
        if (graph->parent[i] == node && graph->function[i] == function) {
            assert_int_equal(found, 0);
            found = i;
        }
    assert_int_not_equal(found, 0);
    return found;
}

static void stacks_merge_by_function(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c");
    uint32_t main = make_function(f, "main", file, 1), work = make_function(f, "work", file, 5);
    uint32_t main2 = make_place(f, main, file, 2), main3 = make_place(f, main, file, 3);
    uint32_t work6 = make_place(f, work, file, 6), work7 = make_place(f, work, file, 7);
    add_samples(f, 0, 1, main2);
    add_samples(f, 0, 2, main2, work6);
    add_samples(f, 0, 4, main3, work7);
    add_samples(f, 0, 8, main3, work6, work7);

    _cleanup_graph_ struct query_flamegraph *graph = get_graph(f, 0);
    assert_sums_hold(graph);
    assert_int_equal(graph->count, 4);
    uint32_t at_main = child_of(graph, 0, main), at_work = child_of(graph, at_main, work);
    assert_int_equal(graph->total_hits[at_main], 15);
    assert_int_equal(graph->self_hits[at_main], 1);
    assert_int_equal(graph->total_hits[at_work], 14);
    assert_int_equal(graph->self_hits[at_work], 6);
    assert_int_equal(graph->self_hits[child_of(graph, at_work, work)], 8);
    assert_int_equal(graph->file[at_work], file);
    assert_int_equal(graph->line[at_work], 5);
}

static void inlined_functions_are_frames_when_written(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c");
    uint32_t main = make_function(f, "main", file, 1), leaf = make_function(f, "leaf", file, 9);
    uint32_t outer = make_function(f, "outer", file, 20),
             inner = make_function(f, "inner", file, 30);
    uint32_t plain = make_place(f, main, file, 2), inlined = make_place(f, main, file, 3);
    uint32_t at_leaf = make_place(f, leaf, file, 10);
    inline_at(f, inlined, outer, file, 21);
    inline_at(f, inlined, inner, file, 31);
    add_samples(f, 0, 1, plain);
    add_samples(f, 0, 2, inlined);
    add_samples(f, 0, 4, inlined, at_leaf);

    _cleanup_graph_ struct query_flamegraph *written = get_graph(f, 0);
    assert_sums_hold(written);
    uint32_t at_main = child_of(written, 0, main), at_outer = child_of(written, at_main, outer);
    uint32_t at_inner = child_of(written, at_outer, inner);
    assert_int_equal(written->self_hits[at_main], 1);
    assert_int_equal(written->self_hits[at_outer], 0);
    assert_int_equal(written->self_hits[at_inner], 2);
    assert_int_equal(written->total_hits[child_of(written, at_inner, leaf)], 4);

    f->options.inlines = QUERY_INLINES_CALLED;
    _cleanup_graph_ struct query_flamegraph *called = get_graph(f, 0);
    assert_sums_hold(called);
    assert_int_equal(called->count, 3);
    assert_int_equal(called->self_hits[child_of(called, 0, main)], 3);
}

static void cold_nodes_are_folded_into_other(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c");
    uint32_t main = make_function(f, "main", file, 1), hot = make_function(f, "hot", file, 5);
    uint32_t at_main = make_place(f, main, file, 2), at_hot = make_place(f, hot, file, 6);
    uint32_t at_hot2 = make_place(f, hot, file, 7);
    add_samples(f, 0, 90, at_main);
    add_samples(f, 0, 2, at_main, at_hot); /* each alone is cold, together they are not */
    add_samples(f, 0, 2, at_main, at_hot2);
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t cold = make_place(f, make_function(f, "cold", file, 10 + i), file, 10 + i);
        add_samples(f, 0, 1, at_main, cold, at_hot);
    }
    _cleanup_graph_ struct query_flamegraph *graph = get_graph(f, 3);
    assert_sums_hold(graph);
    assert_int_equal(graph->count, 4);
    uint32_t shown = child_of(graph, 0, main), other = child_of(graph, shown, QUERY_OTHER);
    assert_int_equal(graph->total_hits[child_of(graph, shown, hot)], 4);
    assert_int_equal(graph->total_hits[other], 6);
    assert_int_equal(graph->self_hits[other], 6);
    assert_int_equal(graph->line[other], 0);
    assert_int_equal(graph->folded[other], 6);
    assert_int_equal(graph->folded[shown], 0);
}

static void hidden_kernel_frames_are_not_drawn(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c"), main = make_function(f, "main", file, 1);
    uint32_t at_main = make_place(f, main, file, 2);
    uint32_t in_kernel = make_kernel(f, make_function(f, "sys_read", 0, 0));
    add_samples(f, 0, 3, at_main, in_kernel, in_kernel);
    add_samples(f, 0, 1, in_kernel);

    f->options.hide_kernel = true;
    _cleanup_graph_ struct query_flamegraph *graph = get_graph(f, 0);
    assert_sums_hold(graph);
    assert_int_equal(graph->count, 2);
    assert_int_equal(graph->self_hits[0], 1);
    assert_int_equal(graph->self_hits[child_of(graph, 0, main)], 3);
}

static void a_million_frames_deep_is_only_long(void **state)
{
    struct fixture *f = *state;
    enum { DEPTH = 4000, STEPS = 250 };
    uint32_t file = make_file(f, "a.c"), main = make_function(f, "main", file, 1);
    uint32_t place = make_place(f, main, file, 2);
    struct raw_frame *frames = calloc(DEPTH * STEPS, sizeof *frames);
    assert_non_null(frames);
    for (size_t i = 0; i < DEPTH * STEPS; i++)
        frames[i] = (struct raw_frame){.module = PROGRAM, .vaddr = place};
    uint32_t node;
    assert_int_equal(stack_trie_add(f->trie, frames, DEPTH * STEPS, &node), 0);
    free(frames);
    add_samples(f, 0, 1, place);
    f->buckets[0]->entries[0].node = node;

    _cleanup_graph_ struct query_flamegraph *graph = get_graph(f, 0);
    assert_int_equal(graph->count, DEPTH * STEPS + 1);
    assert_sums_hold(graph);
    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    assert_hits(line_row(lines, file, 2).cost, 1, 1);
}

static void an_empty_graph_is_its_root(void **state)
{
    struct fixture *f = *state;
    _cleanup_graph_ struct query_flamegraph *graph = get_graph(f, 1);
    assert_int_equal(graph->count, 1);
    assert_sums_hold(graph);
}

/* main calls work from two lines, once through code that is inlined into it. */
static void callers_of_a_line_are_told_apart_by_where_they_call(void **state)
{
    struct fixture *f = *state;
    uint32_t file = make_file(f, "a.c"), header = make_file(f, "a.h");
    uint32_t main = make_function(f, "main", file, 1), work = make_function(f, "work", file, 5);
    uint32_t helper = make_function(f, "helper", header, 1);
    uint32_t main2 = make_place(f, main, file, 2), main3 = make_place(f, main, file, 3);
    uint32_t inlined = make_place(f, main, file, 4), work6 = make_place(f, work, file, 6);
    inline_at(f, inlined, helper, header, 2);
    add_samples(f, 0, 1, main2, work6);
    add_samples(f, 0, 2, main3, work6);
    add_samples(f, 0, 4, inlined, work6);
    add_samples(f, 0, 8, main3);

    struct query_flamegraph_options shape = {.center = "a.c:6", .callers = true, .sites = true};
    _cleanup_graph_ struct query_flamegraph *graph = get_shape(f, shape);
    assert_sums_hold(graph);
    assert_int_equal(graph->count, 6); /* root, work:6, main:2, main:3, helper:2, main:4 */
    assert_int_equal(graph->total.hits, 7);
    uint32_t at_work = child_of(graph, 0, work), at_helper = child_of(graph, at_work, helper);
    assert_int_equal(graph->line[at_work], 6);
    assert_int_equal(graph->total_hits[at_helper], 4);
    assert_int_equal(graph->file[at_helper], header);
    assert_int_equal(graph->line[at_helper], 2);
    assert_int_equal(graph->line[child_of(graph, at_helper, main)], 4);
    uint64_t hits_of_line[5] = {0};
    for (uint32_t i = 1; i < graph->count; i++)
        if (graph->function[i] == main && graph->parent[i] == at_work) {
            assert_true(graph->file[i] == file && graph->line[i] < array_length(hits_of_line));
            hits_of_line[graph->line[i]] += graph->total_hits[i];
        }
    assert_int_equal(hits_of_line[2], 1);
    assert_int_equal(hits_of_line[3], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        query_test(stacks_merge_by_function),
        query_test(inlined_functions_are_frames_when_written),
        query_test(cold_nodes_are_folded_into_other),
        query_test(hidden_kernel_frames_are_not_drawn),
        query_test(a_million_frames_deep_is_only_long),
        query_test(an_empty_graph_is_its_root),
        query_test(callers_of_a_line_are_told_apart_by_where_they_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
