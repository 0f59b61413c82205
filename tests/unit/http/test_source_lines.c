/* Where lines of a source end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/source_lines.h"

static void assert_lines(const char *path, const char *source, const char *want)
{
    char bytes[64];
    size_t length = strlen(source);
    snprintf(bytes, sizeof bytes, "%s", source);
    source_end_lines(bytes, length, path);
    assert_string_equal(bytes, want);
}

static void a_lone_carriage_return_ends_a_line(void **state)
{
    (void)state;
    static const char *const paths[] = {"/usr/include/c++/12/vector", "a.c", "/x.rs/a.hpp", "A.S"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_lines(paths[i], "a\rb\r\nc\r\r\nd\n\re\r", "a\nb\r\nc\n\r\nd\n\ne\n");
    assert_lines("a.c", "", "");
    assert_lines("a.c", "\r\n", "\r\n");
}

static void but_not_where_compilers_see_none(void **state)
{
    (void)state;
    static const char *const paths[] = {"a.rs",  "/src/a.go", "a.s",  "a.f",
                                        "a.F90", "a.f2008",   "a.FOR"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_lines(paths[i], "a\rb\r\r\nc\r", "a\rb\r\r\nc\r");
    assert_lines("a.frag", "\r", "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_carriage_return_ends_a_line),
        cmocka_unit_test(but_not_where_compilers_see_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
