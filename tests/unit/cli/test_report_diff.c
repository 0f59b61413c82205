/* The text of a comparison: alignment, marks, what is only on one side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/report_diff.h"
#include "cli/report_text.h"

static const struct report_diff_row rows[] = {
    {"/src/engine.c", "run", "", 97, 101, 31.25, 60.5, 29.25, 27, 31.5, true, false, 0},
    {"/src/engine.c", "gone", "", 40, 0, 8.5, 0, -8.5, -10, -7, true, false, 'a'},
    {"main.c", "main", "", 12, 14, 0.1, 0.05, -0.05, -0.2, 0.1, false, true, 0},
    {"", "memcpy", "[kernel]", 0, 0, 0.02, 0.03, 0.01, -0.1, 0.12, false, false, 0},
};

static const struct report_diff lines = {
    .sides = {{"./v1 --fast", NULL, 1, 0, 2500000000, 2500, 2510000000, 1.25},
              {"./v2", NULL, 2, 500000000, 2000000000, 1500, 1505000000, 0}},
    .rows = rows,
    .count = 4,
    .all = 7,
    .significant = 2,
};

/* What a report prints, as a string to be freed. */
static char *print(const struct report_diff *diff, int columns, bool colour)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);
    assert_non_null(file);
    report_diff(file, &(struct report_style){columns, colour}, diff);
    fclose(file);
    return text;
}

static void both_numbers_stand_beside_their_change(void **state)
{
    (void)state;
    _cleanup_free_ char *text = print(&lines, 0, false);
    assert_string_equal(
        text,
        "a  session 1, 0.0 to 2.5 s: 2500 samples, 2.51 s  ./v1 --fast\n"
        "b  session 2, 0.5 to 2.0 s: 1500 samples, 1.50 s  ./v2\n"
        "\n"
        "       a         b        Δ      ±     line                        function\n"
        " 31.25 %   60.50 %   +29.25    2.25 *  /src/engine.c:101 (was 97)  run\n"
        "  8.50 %    0.00 %    -8.50    1.50 *  /src/engine.c:40 (only a)   gone\n"
        "  0.10 %    0.05 %    -0.05    0.15    main.c:14 (~12)             main\n"
        "  0.02 %    0.03 %    +0.01    0.11    [kernel]                    memcpy\n"
        "                                        … and 3 more\n"
        "\n"
        "* 2 of 7 lines changed by more than chance (5 % false discoveries).\n"
        "  No line is known of 1.25 % of the time in a and 0.00 % in b.\n"
        "~ The source of that time is not known: found again by its place in the function.\n");
}

static void functions_come_before_where_they_are(void **state)
{
    (void)state;
    struct report_diff functions = lines;
    functions.functions = true;
    functions.count = functions.all = 2;
    _cleanup_free_ char *text = print(&functions, 0, false);
    assert_non_null(strstr(text, "  run            /src/engine.c:101\n"));
    assert_non_null(strstr(text, "  gone (only a)  /src/engine.c:40\n"));
    assert_non_null(strstr(text, "* 2 of 2 functions"));
    assert_null(strstr(text, "No line is known"));
    assert_null(strstr(text, "more\n"));
}

static void shares_with_callees_are_said_to_be_such(void **state)
{
    (void)state;
    struct report_diff total = lines;
    total.by_total = true;
    _cleanup_free_ char *text = print(&total, 0, false), *self = print(&lines, 0, false);
    assert_non_null(strstr(text, "\n  Shares are of the time with callees.\n"));
    assert_null(strstr(self, "with callees"));
}

static void saved_profiles_are_called_by_their_names(void **state)
{
    (void)state;
    struct report_diff files = lines;
    files.sides[0].file = "old\033.lprof";
    files.sides[1].file = "new.lprof";
    _cleanup_free_ char *text = print(&files, 0, false);
    assert_non_null(strstr(text, ".lprof, 0.0 to 2.5 s: 2500 samples, 2.51 s  ./v1 --fast\n"
                                 "b  new.lprof, 0.5 to 2.0 s"));
    assert_null(strstr(text, "session"));
    assert_null(strchr(text, '\033'));
}

static void no_row_is_wider_than_the_terminal(void **state)
{
    (void)state;
    static const struct report_diff_row long_row[] = {
        {"/a/very/long/path/that/goes/on/and/on/and/on/for/ever/engine.c",
         "ns::Type<std::vector<std::string>>::operator()(unsigned long long) const", "", 97, 101,
         31.25, 60.5, 29.25, 27, 31.5, true, false, 0}};
    struct report_diff diff = {.sides = {{.command = ""}, {.command = ""}}, .rows = long_row};
    diff.count = diff.all = 1;
    for (int columns = 80; columns <= 200; columns += 15) {
        _cleanup_free_ char *text = print(&diff, columns, false);
        char *row = strstr(text, " 31.25 %");
        assert_non_null(row);
        *strchr(row, '\n') = '\0';
        assert_true(report_width(row) <= (size_t)columns);
        assert_non_null(strstr(row, "engine.c:101 (was 97)"));
    }
}

static void hostile_names_cannot_steer_the_terminal(void **state)
{
    (void)state;
    static const struct report_diff_row row[] = {
        {"/src/\033[31m\n.c", "f\r\xff", "", 1, 1, 1, 1, 0, -1, 1, false, false, 0}};
    struct report_diff diff = {.sides = {{.command = "\033]0;x\a"}, {.command = ""}}, .rows = row};
    diff.count = diff.all = 1;
    _cleanup_free_ char *text = print(&diff, 0, false);
    assert_null(strpbrk(text, "\033\r\a"));
}

static void only_what_changed_stands_out(void **state)
{
    (void)state;
    _cleanup_free_ char *text = print(&lines, 0, true);
    assert_non_null(strstr(text, "\033[1m 31.25 %"));
    assert_non_null(strstr(text, "\033[2m  0.10 %"));
}

static void nothing_to_compare_is_said(void **state)
{
    (void)state;
    struct report_diff none = lines;
    none.count = none.all = 0;
    _cleanup_free_ char *text = print(&none, 0, false);
    assert_non_null(strstr(text, "Neither has samples to compare."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_numbers_stand_beside_their_change),
        cmocka_unit_test(functions_come_before_where_they_are),
        cmocka_unit_test(shares_with_callees_are_said_to_be_such),
        cmocka_unit_test(saved_profiles_are_called_by_their_names),
        cmocka_unit_test(no_row_is_wider_than_the_terminal),
        cmocka_unit_test(hostile_names_cannot_steer_the_terminal),
        cmocka_unit_test(only_what_changed_stands_out),
        cmocka_unit_test(nothing_to_compare_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
