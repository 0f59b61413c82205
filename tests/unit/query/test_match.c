/* Rows that are looked for by a part of a name. */
#include "fixture.h"

/* main in /src/app.c calls Parse in /lib/parse.h, and the kernel. */
static void make_run(struct fixture *f)
{
    uint32_t app = make_file(f, "/src/app.c"), parse = make_file(f, "/lib/parse.h");
    uint32_t at_main = make_place(f, make_function(f, "main", app, 1), app, 2);
    uint32_t at_parse = make_place(f, make_function(f, "Reader::Parse(int)", parse, 5), parse, 6);
    uint32_t in_main = make_place(f, 1, parse, 7);
    uint32_t in_kernel = make_kernel(f, make_function(f, "sys_read", 0, 0));
    f->symbols.functions[3].module = KERNEL;
    add_samples(f, 0, 1, at_main);
    add_samples(f, 0, 2, at_main, at_parse);
    add_samples(f, 0, 4, in_main);
    add_samples(f, 0, 8, at_main, in_kernel);
}

static void rows_match_by_function_path_and_module(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    static const struct {
        const char *text;
        size_t lines, functions;
    } cases[] = {
        {"", 3, 3},        {"main", 2, 1},         {"MAIN", 2, 1},     {"parse", 2, 1},
        {"app.c", 1, 1},   {"/BIN/program", 3, 2}, {"[kernel]", 0, 1}, {"sys_", 0, 1},
        {"nowhere", 0, 0}, {"::parse(INT", 1, 1},  {"m.*n", 0, 0},
    };
    for (size_t i = 0; i < array_length(cases); i++) {
        _cleanup_lines_ struct query_lines *lines = get_lines(f);
        _cleanup_functions_ struct query_functions *functions = get_functions(f);
        assert_int_equal(query_lines_match(&f->view, cases[i].text, lines), 0);
        assert_int_equal(query_functions_match(&f->view, cases[i].text, functions), 0);
        assert_int_equal(lines->count, cases[i].lines);
        assert_int_equal(functions->count, cases[i].functions);
        assert_int_equal(lines->total.hits, 15);
        assert_int_equal(lines->unknown.cost.self_hits, 8);
    }
}

static void rows_that_match_keep_their_order(void **state)
{
    struct fixture *f = *state;
    make_run(f);
    _cleanup_lines_ struct query_lines *lines = get_lines(f);
    assert_int_equal(query_lines_match(&f->view, "lib", lines), 0);
    assert_int_equal(lines->count, 2);
    assert_hits(lines->rows[0].cost, 4, 4);
    assert_hits(lines->rows[1].cost, 2, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        query_test(rows_match_by_function_path_and_module),
        query_test(rows_that_match_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
