/* Text reports: alignment, shortening, units, remedies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/report.h"
#include "cli/report_text.h"

static const struct report_row rows[] = {
    {"/home/me/project/src/engine/loop.c", 97, "run_loop", NULL, 31.25, 88.1, 29.9, 32.6,
     1387000000, 3911000000},
    {"main.c", 12, "main", NULL, 0.1, 100, 0.02, 0.3, 850000, 4440000000},
};
static const struct report_style wide = {0};

/* What a report prints, as a string to be freed. */
#define printed(call)                                                                              \
    ({                                                                                             \
        char *text_ = NULL;                                                                        \
        size_t bytes_ = 0;                                                                         \
        FILE *file = open_memstream(&text_, &bytes_);                                              \
        assert_non_null(file);                                                                     \
        call;                                                                                      \
        fclose(file);                                                                              \
        text_;                                                                                     \
    })

static void lines_are_aligned_by_the_sorted_column(void **state)
{
    (void)state;
    struct report_table table = {.rows = rows, .count = 2, .more = 7};
    _cleanup_free_ char *text = printed(report_lines(file, &wide, &table));
    assert_string_equal(
        text,
        "\n    self      ±     total       time  line                                   function\n"
        " 31.25 %   1.35   88.10 %     1.39 s  /home/me/project/src/engine/loop.c:97  run_loop\n"
        "  0.10 %   0.14  100.00 %     850 µs  main.c:12                              main\n"
        "                                      … and 7 more\n");
}

static void total_comes_first_when_it_is_sorted_by(void **state)
{
    (void)state;
    struct report_table table = {.rows = rows, .count = 1, .by_total = true};
    _cleanup_free_ char *text = printed(report_functions(file, &wide, &table));
    assert_string_equal(text, "\n   total      ±      self       time  function  defined\n"
                              " 88.10 %   1.35   31.25 %     3.91 s  run_loop  "
                              "/home/me/project/src/engine/loop.c:97\n");
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    const struct report_row long_rows[] = {
        {"/a/very/long/path/to/some/directory/with/a/file.cpp", 123456,
         "std::map<std::basic_string<char>, std::vector<int> >::operator[]", NULL, 50, 50, 49, 51,
         1, 1},
        {"é/ü.c", 1, "ünïcödé_function_with_a_name_that_is_long_enough", NULL, 50, 50, 49, 51, 1,
         1},
    };
    struct report_table table = {.rows = long_rows, .count = 2};
    for (int columns = 70; columns < 200; columns++) {
        struct report_style style = {.columns = columns};
        _cleanup_free_ char *text = printed(report_lines(file, &style, &table));
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
            assert_true(report_width(line) <= (size_t)columns);
    }
    struct report_style style = {.columns = 90};
    _cleanup_free_ char *text = printed(report_lines(file, &style, &table));
    assert_non_null(strstr(text, "…/with/a/file.cpp:123456  std::map<"));
}

static void pipes_get_whole_names(void **state)
{
    (void)state;
    char function[400];
    memset(function, 'f', sizeof function - 1);
    function[sizeof function - 1] = '\0';
    struct report_row row = rows[0];
    row.function = function;
    struct report_table table = {.rows = &row, .count = 1};
    _cleanup_free_ char *text = printed(report_lines(file, &wide, &table));
    assert_non_null(strstr(text, function));
    assert_null(strchr(text, '\033'));
}

static void a_function_without_a_file_shows_its_module(void **state)
{
    (void)state;
    const struct report_row row = {.path = "", .function = "", .module = "/lib/libc.so.6"};
    struct report_table table = {.rows = &row, .count = 1};
    _cleanup_free_ char *text = printed(report_functions(file, &wide, &table));
    assert_non_null(strstr(text, "[unknown]  /lib/libc.so.6\n"));
}

static void unknown_samples_come_with_a_remedy(void **state)
{
    (void)state;
    const struct report_reason reasons[] = {{"no_debug_info", 100},
                                            {"no_line", 0},
                                            {"no_module", 20}, /* it may have names already */
                                            {"damaged", 3},
                                            {"something\x1b new", 14}};
    struct report_unknown unknown = {3.1, 137, 4421, reasons, 5, false};
    _cleanup_free_ char *text = printed(report_unknown(file, &wide, &unknown));
    assert_string_equal(text,
                        "\n  3.10 % of the time has no line (137 of 4421 samples):\n"
                        "     100  no debug information: install the -dbg or -dbgsym package, or "
                        "compile with -g (files that are not ELF have none)\n"
                        "      20  not in a file: compiled at run time, or the stack is cut or "
                        "missing\n"
                        "       3  the file's debug information is damaged or too large: build or "
                        "install the program again, with -g1 if this machine has little memory\n"
                        "      14  something␛ new\n");
    unknown.self_hits = 0;
    _cleanup_free_ char *nothing = printed(report_unknown(file, &wide, &unknown));
    assert_string_equal(nothing, "");
}

static void functions_are_listed_where_most_has_no_line(void **state)
{
    (void)state;
    struct report_reason reasons[] = {{"no_debug_info", 40}, {"pending", 20}, {"kernel", 0}};
    struct report_unknown unknown = {60, 60, 100, reasons, 3, false};
    assert_false(report_lacks_lines(&unknown)); /* what is pending may have one in a moment */
    reasons[0].hits = 60;
    reasons[1].hits = 0;
    assert_true(report_lacks_lines(&unknown));
    assert_true(report_lacks_callers(&unknown));
    unknown.functions_follow = true;
    _cleanup_free_ char *text = printed(report_unknown(file, &wide, &unknown));
    assert_non_null(strstr(text, "(60 of 100 samples), so functions are listed below:\n"));

    reasons[0].hits = 20;
    reasons[2].hits = 40;
    assert_true(report_lacks_lines(&unknown));
    assert_false(report_lacks_callers(&unknown)); /* the lines that called the kernel */
    unknown.self_hits = 50;
    assert_false(report_lacks_lines(&unknown));
}

static void a_session_says_how_good_its_samples_are(void **state)
{
    (void)state;
    struct report_session session = {
        .command = "/bin/prog --flag",
        .pid = 42,
        .threads = 1,
        .duration_ns = 10002000000,
        .accounted_ns = 4440000000,
        .samples = 4421,
        .truncated_stacks = 3,
        .unwound_to_root = 4418,
        .backend = "perf-cpu",
        .event = "cpu-clock",
        .frequency_hz = 997,
    };
    _cleanup_free_ char *text = printed(report_session(file, &wide, &session));
    assert_string_equal(text, "/bin/prog --flag (pid 42)\n"
                              "4.44 s of CPU time in 10.0 s, 1 thread; cpu-clock at 997 Hz by "
                              "perf-cpu\n"
                              "4421 samples, 0 lost, 99.9 % to the root, < 0.1 % truncated\n");
    session.unwound_to_root = 4421;
    session.truncated_stacks = 0;
    session.throttled = 5;
    _cleanup_free_ char *whole = printed(report_session(file, &wide, &session));
    assert_non_null(strstr(whole, "0 lost, 5 throttled, 100 % to the root, 0 % truncated\n"));
    session.unsampled_ns = 4440000;
    _cleanup_free_ char *next_to_all = printed(report_session(file, &wide, &session));
    assert_non_null(strstr(next_to_all, "\n4.44 s of CPU time in 10.0 s, "));
    session.unsampled_ns = 120000000;
    _cleanup_free_ char *part = printed(report_session(file, &wide, &session));
    assert_non_null(strstr(part, "\n4.44 s of CPU time (120 ms of it without samples) in 10.0 s"));
    session.samples = 0;
    _cleanup_free_ char *none = printed(report_session(file, &wide, &session));
    assert_non_null(strstr(none, "no samples: the process used too little CPU time meanwhile\n"));
}

static void warnings_are_one_line_each(void **state)
{
    (void)state;
    const char *const warnings[] = {"first", "second\nline"};
    _cleanup_free_ char *text = printed(report_warnings(file, &wide, warnings, 2));
    assert_string_equal(text, "warning: first\nwarning: second␊line\n");
}

static void colour_is_for_terminals_only(void **state)
{
    (void)state;
    _cleanup_file_ FILE *plain = tmpfile();
    assert_non_null(plain);
    struct report_style style = report_style_of(plain);
    assert_int_equal(style.columns, 0);
    assert_false(style.colour);

    struct report_style coloured = {.columns = 80, .colour = true};
    struct report_table table = {.rows = rows, .count = 2};
    _cleanup_free_ char *text = printed(report_lines(file, &coloured, &table));
    assert_non_null(strstr(text, "\033[1m 31.25 %"));
    assert_non_null(strstr(text, "run_loop\033[0m\n"));
}

static void times_have_three_digits(void **state)
{
    (void)state;
    const struct {
        uint64_t ns;
        const char *want;
    } cases[] = {
        {0, "0 µs"},
        {999, "1.00 µs"},
        {850000, "850 µs"},
        {999499, "999 µs"},
        {999500, "1.00 ms"},
        {12345678, "12.3 ms"},
        {999500000, "1.00 s"},
        {9994000000, "9.99 s"},
        {9996000000, "10.0 s"},
        {1002000000000, "16.7 min"},
        {7200000000000, "2.00 h"},
    };
    for (size_t i = 0; i < array_length(cases); i++) {
        _cleanup_text_ struct text text = {0};
        report_text_time(&text, cases[i].ns);
        assert_string_equal(text.bytes, cases[i].want);
    }
}

static void a_failure_is_one_line_whatever_it_quotes(void **state)
{
    (void)state;
    struct failure failure = {0};
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    failure_set(&failure, -EIO, "it answers: %s", "\x1b[2J\nall is well");
    report_text_failure("lprof", &failure, out);
    fclose(out);
    assert_null(strchr(text, '\x1b'));
    assert_ptr_equal(strchr(text, '\n'), text + bytes - 1);
    assert_ptr_equal(strstr(text, "lprof: it answers: "), text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_aligned_by_the_sorted_column),
        cmocka_unit_test(total_comes_first_when_it_is_sorted_by),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(pipes_get_whole_names),
        cmocka_unit_test(a_function_without_a_file_shows_its_module),
        cmocka_unit_test(unknown_samples_come_with_a_remedy),
        cmocka_unit_test(functions_are_listed_where_most_has_no_line),
        cmocka_unit_test(a_session_says_how_good_its_samples_are),
        cmocka_unit_test(warnings_are_one_line_each),
        cmocka_unit_test(colour_is_for_terminals_only),
        cmocka_unit_test(times_have_three_digits),
        cmocka_unit_test(a_failure_is_one_line_whatever_it_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
