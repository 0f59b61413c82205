/* The tables and the graph of random profiles, against counting each stack frame by frame. */
#include "random_profile.h"

struct wanted {
    uint64_t self_hits, total_hits;
};

/* Counts the samples whose stack has a frame that is like `like`; 0 members match anything. */
static struct wanted count_like(const struct fixture *f, struct frame like)
{
    struct wanted wanted = {0};
    const struct bucket *bucket = f->buckets[0];
    for (size_t i = 0; i < bucket->count; i++) {
        struct frame frames[64];
        size_t count = expand(f, bucket->entries[i].node, frames), found = 0;
        for (size_t j = 0; j < count; j++) {
            bool same =
                (!like.function || frames[j].function == like.function) &&
                (!like.line || (frames[j].file == like.file && frames[j].line == like.line));
            found += same;
            if (same && j == 0)
                wanted.self_hits += bucket->entries[i].hits;
        }
        if (found)
            wanted.total_hits += bucket->entries[i].hits;
    }
    return wanted;
}

/* Counts the samples whose stack has a line of this function in this file. */
static struct wanted count_in_file(const struct fixture *f, uint32_t function, uint32_t file)
{
    struct wanted wanted = {0};
    const struct bucket *bucket = f->buckets[0];
    for (size_t i = 0; i < bucket->count; i++) {
        struct frame frames[64];
        size_t count = expand(f, bucket->entries[i].node, frames), found = 0;
        for (size_t j = 0; j < count; j++) {
            bool same =
                frames[j].function == function && frames[j].file == file && frames[j].line > 0;
            found += same;
            wanted.self_hits += same && j == 0 ? bucket->entries[i].hits : 0;
        }
        wanted.total_hits += found ? bucket->entries[i].hits : 0;
    }
    return wanted;
}

/* In how many physical functions an inlined frame is like `like`, by looking at every stack. */
static uint32_t count_physical(const struct fixture *f, struct frame like)
{
    bool physical[FUNCTIONS + 1] = {false};
    const struct bucket *bucket = f->buckets[0];
    for (size_t i = 0; i < bucket->count; i++)
        for (uint32_t node = bucket->entries[i].node; node;
             node = stack_trie_node(f->trie, node).parent) {
            uint32_t location = stack_trie_node(f->trie, node).location;
            const struct place *place =
                &f->symbols.places[stack_trie_location(f->trie, location).vaddr];
            for (uint32_t j = 0; j + 1 < place->count; j++) {
                const struct frame *frame = &place->frames[j];
                if ((!like.function || frame->function == like.function) &&
                    (!like.line || (frame->file == like.file && frame->line == like.line)))
                    physical[place->frames[place->count - 1].function] = true;
            }
        }
    uint32_t count = 0;
    for (uint32_t i = 0; i <= FUNCTIONS; i++)
        count += physical[i];
    return f->options.inlines == QUERY_INLINES_CALLED ? 0 : count;
}

static void compare_inlined_into(struct fixture *f)
{
    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    _cleanup_functions_ struct query_functions *functions = get_functions(f);
    for (size_t i = 0; i < lines->count; i++) {
        const struct query_line *row = &lines->rows[i];
        struct frame like = {.file = row->file, .line = row->line};
        assert_int_equal(row->inlined_into, count_physical(f, like));
    }
    for (size_t i = 0; i < functions->count; i++) {
        const struct query_function *row = &functions->rows[i];
        if (row->function)
            assert_int_equal(row->inlined_into,
                             count_physical(f, (struct frame){.function = row->function}));
    }
}

static void compare(struct fixture *f)
{
    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    _cleanup_functions_ struct query_functions *functions = get_functions(f);
    uint64_t self_hits = lines->unknown.cost.self_hits, reasons = 0;
    for (uint32_t file = 1; file <= FILES; file++)
        for (uint32_t line = 1; line < LINES; line++) {
            struct wanted wanted = count_like(f, (struct frame){.file = file, .line = line});
            struct query_cost cost = line_row(lines, file, line).cost;
            assert_hits(cost, wanted.self_hits, wanted.total_hits);
            self_hits += cost.self_hits;
        }
    for (uint32_t i = 1; i <= FUNCTIONS; i++) {
        struct wanted wanted = count_like(f, (struct frame){.function = i});
        assert_hits(function_cost(functions, i), wanted.self_hits, wanted.total_hits);
    }
    for (size_t i = 0; i < SYMBOL_STATUS_COUNT; i++)
        reasons += lines->unknown.hits_by_status[i];
    assert_int_equal(reasons, lines->unknown.cost.self_hits);
    assert_int_equal(self_hits, f->view.hits);
    assert_int_equal(lines->total.hits, f->view.hits);
}

/* The functions of each file, against the frames of every stack that are in it. */
static void compare_file_functions(struct fixture *f)
{
    for (uint32_t file = 1; file <= FILES; file++) {
        struct query_file_functions *functions = NULL;
        assert_int_equal(query_file_functions(&f->view, &f->options, file, &functions), 0);
        _cleanup_lines_ struct query_lines *lines = get_lines(f);
        uint64_t self_hits = 0;
        for (size_t i = 0; i < functions->count; i++) {
            const struct query_file_function *row = &functions->rows[i];
            struct wanted wanted = count_in_file(f, row->function, file);
            assert_hits(row->cost, wanted.self_hits, wanted.total_hits);
            assert_true(wanted.total_hits > 0 && row->first_line <= row->last_line);
            assert_int_not_equal(line_row(lines, file, row->first_line).file, 0);
            assert_int_not_equal(line_row(lines, file, row->last_line).file, 0);
            self_hits += row->cost.self_hits;
        }
        for (size_t i = 0; i < lines->count; i++)
            self_hits -= lines->rows[i].file == file ? lines->rows[i].cost.self_hits : 0;
        assert_int_equal(self_hits, 0);
        query_file_functions_free(functions);
    }
}

/* Sum over the graph's nodes of a function's self hits is the function table's. */
static void compare_graph(struct fixture *f)
{
    const struct query_flamegraph_options whole = {0};
    struct query_flamegraph *graph = NULL;
    assert_int_equal(query_flamegraph(&f->view, &f->options, &whole, &graph), 0);
    for (uint32_t function = 1; function <= FUNCTIONS; function++) {
        uint64_t self_hits = 0, outermost_hits = 0;
        for (uint32_t i = 1; i < graph->count; i++) {
            if (graph->function[i] != function)
                continue;
            self_hits += graph->self_hits[i];
            uint32_t above = graph->parent[i];
            while (above && graph->function[above] != function)
                above = graph->parent[above];
            outermost_hits += above ? 0 : graph->total_hits[i];
        }
        struct wanted wanted = count_like(f, (struct frame){.function = function});
        assert_int_equal(self_hits, wanted.self_hits);
        assert_int_equal(outermost_hits, wanted.total_hits);
    }
    query_flamegraph_free(graph);
}

static void check(struct fixture *f)
{
    compare(f);
    compare_inlined_into(f);
    compare_file_functions(f);
    compare_graph(f);
}

static void random_profiles_agree_with_brute_force(void **state)
{
    (void)state;
    for_each_profile(check, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_profiles_agree_with_brute_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
