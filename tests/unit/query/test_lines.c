/* The line, function and file tables. */
#include "fixture.h"

/* main (a.c:10) calls work (a.c:20), which calls itself and leaf (b.c:5). */
struct program {
    uint32_t a, b;
    uint32_t main, work, leaf;
    uint32_t at_main, at_work, at_work2, at_leaf;
};

static struct program make_program(struct fixture *f)
{
    struct program p = {.a = make_file(f, "/src/a.c"), .b = make_file(f, "/src/b.c")};
    p.main = make_function(f, "main", p.a, 8);
    p.work = make_function(f, "work", p.a, 18);
    p.leaf = make_function(f, "leaf", p.b, 3);
    p.at_main = make_place(f, p.main, p.a, 10);
    p.at_work = make_place(f, p.work, p.a, 20);
    p.at_work2 = make_place(f, p.work, p.a, 21);
    p.at_leaf = make_place(f, p.leaf, p.b, 5);
    return p;
}

static void self_goes_to_the_leaf_and_total_to_the_whole_stack(void **state)
{
    struct fixture *f = *state;
    struct program p = make_program(f);
    add_samples(f, 0, 3, p.at_main, p.at_work, p.at_leaf);
    add_samples(f, 0, 2, p.at_main, p.at_work);

    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    assert_int_equal(lines->count, 3);
    assert_hits(line_row(lines, p.a, 10).cost, 0, 5);
    assert_hits(line_row(lines, p.a, 20).cost, 2, 5);
    assert_hits(line_row(lines, p.b, 5).cost, 3, 3);
    assert_int_equal(lines->total.hits, 5);
    assert_int_equal(lines->total.time_ns, 5 * SAMPLE_NS);
    assert_int_equal(lines->unknown.cost.self_hits, 0);
}

static void recursion_counts_once_per_line_function_and_file(void **state)
{
    struct fixture *f = *state;
    struct program p = make_program(f);
    add_samples(f, 0, 7, p.at_main, p.at_work, p.at_work, p.at_work2, p.at_work, p.at_leaf);
    add_samples(f, 0, 1, p.at_main, p.at_work, p.at_work2);

    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    assert_hits(line_row(lines, p.a, 20).cost, 0, 8);
    assert_hits(line_row(lines, p.a, 21).cost, 1, 8);
    _cleanup_functions_ struct query_functions *functions = get_functions(f);
    assert_hits(function_cost(functions, p.work), 1, 8);
    assert_hits(function_cost(functions, p.main), 0, 8);

    _cleanup_files_ struct query_files *files = NULL;
    assert_int_equal(query_files(&f->view, &f->options, &files), 0);
    assert_int_equal(files->count, 2);
    assert_int_equal(files->rows[0].file, p.b);
    assert_hits(files->rows[0].cost, 7, 7);
    assert_int_equal(files->rows[1].file, p.a);
    assert_hits(files->rows[1].cost, 1, 8);
}

/* Two branches that meet the same line again after it left the stack in between. */
static void siblings_each_count(void **state)
{
    struct fixture *f = *state;
    struct program p = make_program(f);
    add_samples(f, 0, 1, p.at_main, p.at_work, p.at_leaf);
    add_samples(f, 0, 2, p.at_main, p.at_work2, p.at_leaf);
    add_samples(f, 0, 4, p.at_leaf);

    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    assert_hits(line_row(lines, p.b, 5).cost, 7, 7);
    assert_hits(line_row(lines, p.a, 20).cost, 0, 1);
    assert_hits(line_row(lines, p.a, 21).cost, 0, 2);
}

static void inlined_cost_is_shown_where_it_was_written(void **state)
{
    struct fixture *f = *state;
    struct program p = make_program(f);
    inline_at(f, p.at_work, p.leaf, p.b, 5);
    add_samples(f, 0, 4, p.at_main, p.at_work);

    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    assert_hits(line_row(lines, p.b, 5).cost, 4, 4);
    assert_hits(line_row(lines, p.a, 20).cost, 0, 4);
    _cleanup_functions_ struct query_functions *functions = get_functions(f);
    assert_hits(function_cost(functions, p.leaf), 4, 4);
    assert_hits(function_cost(functions, p.work), 0, 4);
}

static void inlined_cost_is_shown_where_it_was_called_from(void **state)
{
    struct fixture *f = *state;
    struct program p = make_program(f);
    inline_at(f, p.at_work, p.leaf, p.b, 5);
    add_samples(f, 0, 4, p.at_main, p.at_work);

    f->options.inlines = QUERY_INLINES_CALLED;
    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    assert_hits(line_row(lines, p.a, 20).cost, 4, 4);
    assert_hits(line_row(lines, p.b, 5).cost, 0, 0);
    _cleanup_functions_ struct query_functions *functions = get_functions(f);
    assert_hits(function_cost(functions, p.work), 4, 4);
    assert_hits(function_cost(functions, p.leaf), 0, 0);
}

static void inlined_recursion_counts_once(void **state)
{
    struct fixture *f = *state;
    struct program p = make_program(f);
    inline_at(f, p.at_work, p.work, p.a, 20);
    inline_at(f, p.at_work, p.work, p.a, 20);
    add_samples(f, 0, 4, p.at_main, p.at_work, p.at_work);

    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    assert_hits(line_row(lines, p.a, 20).cost, 4, 4);
}

static void samples_without_a_line_are_unknown_by_reason(void **state)
{
    struct fixture *f = *state;
    struct program p = make_program(f);
    uint32_t stripped = make_function(f, "stripped", 0, 0);
    add_samples(f, 0, 1, p.at_main, make_status(f, SYMBOL_PENDING, 0));
    add_samples(f, 0, 2, p.at_main, make_status(f, SYMBOL_NAME_ONLY, stripped));
    add_samples(f, 0, 4, p.at_main, make_status(f, SYMBOL_NO_DEBUG_INFO, stripped));
    add_samples(f, 0, 8, p.at_main, make_status(f, SYMBOL_NO_LINE, stripped));
    add_samples(f, 0, 16, p.at_main, make_place(f, p.work, p.a, 0)); /* line 0 of a known file */
    add_stack(f, 0, 32, 0, NULL);
    add_samples(f, 0, 64, p.at_main);

    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    const uint64_t *by_status = lines->unknown.hits_by_status;
    assert_int_equal(by_status[SYMBOL_PENDING], 1);
    assert_int_equal(by_status[SYMBOL_NAME_ONLY], 2);
    assert_int_equal(by_status[SYMBOL_NO_DEBUG_INFO], 4);
    assert_int_equal(by_status[SYMBOL_NO_LINE], 8 + 16);
    assert_int_equal(by_status[SYMBOL_NO_MODULE], 32);
    assert_int_equal(by_status[SYMBOL_LINE], 0);
    assert_hits(lines->unknown.cost, 63, 63);
    assert_hits(line_row(lines, p.a, 10).cost, 64, 95);
    assert_int_equal(lines->total.hits, 127);

    _cleanup_files_ struct query_files *files = NULL;
    assert_int_equal(query_files(&f->view, &f->options, &files), 0);
    assert_int_equal(files->unknown.cost.self_hits, 63);
    assert_int_equal(files->unknown.hits_by_status[SYMBOL_NO_LINE], 24);
    assert_int_equal(files->rows[0].cost.self_hits, 64);
}

static void a_shared_line_names_its_most_expensive_function(void **state)
{
    struct fixture *f = *state;
    struct program p = make_program(f);
    uint32_t of_int = make_function(f, "max<int>", p.b, 30);
    uint32_t of_long = make_function(f, "max<long>", p.b, 30);
    uint32_t at_int = make_place(f, of_int, p.b, 31);
    uint32_t at_long = make_place(f, of_long, p.b, 31);
    uint32_t at_long2 = make_place(f, of_long, p.b, 31);
    add_samples(f, 0, 5, p.at_main, at_int);
    add_samples(f, 0, 3, p.at_main, at_long);
    add_samples(f, 0, 3, p.at_work, at_long2);

    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    assert_hits(line_row(lines, p.b, 31).cost, 11, 11);
    assert_int_equal(line_row(lines, p.b, 31).function, of_long);
}

static void rows_are_sorted_by_cost_then_file_and_line(void **state)
{
    struct fixture *f = *state;
    struct program p = make_program(f);
    add_samples(f, 0, 2, p.at_leaf);
    add_samples(f, 0, 2, p.at_work2);
    add_samples(f, 0, 2, p.at_work);
    add_samples(f, 0, 9, p.at_main);

    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    const uint32_t want[][2] = {{p.a, 10}, {p.a, 20}, {p.a, 21}, {p.b, 5}};
    assert_int_equal(lines->count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(lines->rows[i].file, want[i][0]);
        assert_int_equal(lines->rows[i].line, want[i][1]);
    }
}

static void the_interval_is_that_of_the_sorted_column(void **state)
{
    struct fixture *f = *state;
    struct program p = make_program(f);
    add_samples(f, 0, 81, p.at_main, p.at_work);
    add_samples(f, 0, 182, p.at_main);

    _cleanup_lines_ struct query_lines *by_self = get_lines(f);
    struct query_cost work = line_row(by_self, p.a, 20).cost;
    assert_near(work.self_percent, 81 / 2.63, 1e-9);
    assert_near(work.percent_low, 25.53, 0.005); /* Newcombe 1998: 81 of 263 */
    assert_near(work.percent_high, 36.62, 0.005);

    f->options.sort = QUERY_SORT_TOTAL;
    _cleanup_lines_ struct query_lines *by_total = get_lines(f);
    assert_int_equal(by_total->rows[0].line, 10);
    assert_near(by_total->rows[0].cost.total_percent, 100, 1e-9);
    assert_near(by_total->rows[0].cost.percent_high, 100, 1e-9);
    assert_true(by_total->rows[0].cost.percent_low > 98);
}

static void functions_without_a_name_keep_the_sum(void **state)
{
    struct fixture *f = *state;
    struct program p = make_program(f);
    add_samples(f, 0, 3, p.at_main, make_status(f, SYMBOL_PENDING, 0));
    add_samples(f, 0, 4, p.at_main);

    _cleanup_functions_ struct query_functions *functions = get_functions(f);
    assert_int_equal(functions->count, 2);
    assert_hits(function_cost(functions, 0), 3, 3);
    assert_hits(function_cost(functions, p.main), 4, 7);
    assert_int_equal(functions->total.hits, 7);
}

static void a_profile_without_samples_has_no_rows(void **state)
{
    struct fixture *f = *state;
    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    assert_int_equal(lines->count, 0);
    assert_int_equal(lines->total.hits, 0);
    _cleanup_functions_ struct query_functions *functions = get_functions(f);
    assert_int_equal(functions->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        query_test(self_goes_to_the_leaf_and_total_to_the_whole_stack),
        query_test(recursion_counts_once_per_line_function_and_file),
        query_test(siblings_each_count),
        query_test(inlined_cost_is_shown_where_it_was_written),
        query_test(inlined_cost_is_shown_where_it_was_called_from),
        query_test(inlined_recursion_counts_once),
        query_test(samples_without_a_line_are_unknown_by_reason),
        query_test(a_shared_line_names_its_most_expensive_function),
        query_test(rows_are_sorted_by_cost_then_file_and_line),
        query_test(the_interval_is_that_of_the_sorted_column),
        query_test(functions_without_a_name_keep_the_sum),
        query_test(a_profile_without_samples_has_no_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
