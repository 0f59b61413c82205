/* Source paths are joined and normalised as text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "symbol/path.h"

static void assert_joined(const char *directory, const char *path, const char *expected)
{
    _cleanup_free_ char *joined = NULL;
    assert_int_equal(path_join(directory, path, &joined), 0);
    assert_string_equal(joined, expected);
}

static void relative_paths_go_below_the_directory(void **state)
{
    (void)state;
    assert_joined("/build", "src/a.c", "/build/src/a.c");
    assert_joined("/build/", "a.c", "/build/a.c");
    assert_joined(NULL, "a.c", "a.c");
    assert_joined("", "a.c", "a.c");
    assert_joined("/build", "/usr/include/b.h", "/usr/include/b.h");
}

static void dots_are_removed(void **state)
{
    (void)state;
    assert_joined("/build", "./a.c", "/build/a.c");
    assert_joined("/build/x", "../a.c", "/build/a.c");
    assert_joined("/build", "lib/./../a.c", "/build/a.c");
    assert_joined("/build", "a//b///c.c", "/build/a/b/c.c");
    assert_joined("/build", "..a/...b/.c", "/build/..a/...b/.c");
    assert_joined(NULL, "/.", "/");
}

static void parents_stop_at_the_root(void **state)
{
    (void)state;
    assert_joined("/", "../../../etc/shadow", "/etc/shadow");
    assert_joined("/a", "../../b", "/b");
}

static void leading_parents_of_a_relative_path_stay(void **state)
{
    (void)state;
    assert_joined(NULL, "../../a.c", "../../a.c");
    assert_joined("../x", "../../a.c", "../../a.c");
    assert_joined("x", "../../a.c", "../a.c");
}

static void what_is_opened_keeps_its_parents(void **state)
{
    static const char *const names[][4] = {
        {"/link/sub", "../a.c", "/link/sub/../a.c", "/link/a.c"},
        {"/link/", ".//x/./../../a.c", "/link/x/../../a.c", "/a.c"},
        {NULL, "../../a.c", "../../a.c", "../../a.c"},
        {"x", "../../a.c", "x/../../a.c", "../a.c"},
        {"/", "../a.c", "/../a.c", "/a.c"},
    };
    (void)state;
    for (size_t i = 0; i < array_length(names); i++) {
        _cleanup_free_ char *appended = NULL;
        assert_int_equal(path_append(names[i][0], names[i][1], &appended), 0);
        assert_string_equal(appended, names[i][2]);
        path_normalise(appended);
        assert_string_equal(appended, names[i][3]);
    }
}

static void endless_paths_are_refused(void **state)
{
    (void)state;
    char path[PATH_BYTES_MAX + 1];
    char *joined;
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(path_join("/", path, &joined), -ENAMETOOLONG);
}

static void basename_and_directory_split_at_the_last_slash(void **state)
{
    (void)state;
    assert_string_equal(path_basename("/usr/bin/ls"), "ls");
    assert_string_equal(path_basename("[vdso]"), "[vdso]");
    assert_int_equal(path_directory_length("/usr/bin/ls"), 8);
    assert_int_equal(path_directory_length("/ls"), 0);
    assert_int_equal(path_directory_length("ls"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relative_paths_go_below_the_directory),
        cmocka_unit_test(dots_are_removed),
        cmocka_unit_test(parents_stop_at_the_root),
        cmocka_unit_test(leading_parents_of_a_relative_path_stay),
        cmocka_unit_test(what_is_opened_keeps_its_parents),
        cmocka_unit_test(endless_paths_are_refused),
        cmocka_unit_test(basename_and_directory_split_at_the_last_slash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
