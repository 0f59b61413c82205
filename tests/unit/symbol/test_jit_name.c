/* V8's names of functions tell where these are written; other names are left as they are. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "symbol/jit_name.h"

static void assert_parsed(const char *name, const char *function, const char *path, uint32_t line,
                          uint32_t column)
{
    _cleanup_(jit_name_free) struct jit_name parsed = {0};
    assert_int_equal(jit_name_parse(name, &parsed), 0);
    assert_string_equal(parsed.function, function);
    assert_string_equal(parsed.path, path);
    assert_int_equal(parsed.line, line);
    assert_int_equal(parsed.column, column);
}

static void functions_of_scripts_have_a_place(void **state)
{
    (void)state;
    assert_parsed("LazyCompile:*fib /path/file.js:3:12", "fib", "/path/file.js", 3, 12);
    assert_parsed("JS:~hotInside /tmp/hot.js:1:19", "hotInside", "/tmp/hot.js", 1, 19);
    assert_parsed("JS:^Module._load node:internal/modules/cjs/loader:1003:24", "Module._load",
                  "node:internal/modules/cjs/loader", 1003, 24);
    assert_parsed("Function:fib /a.js:7", "fib", "/a.js", 7, 0);
    assert_parsed("JS:+get size /a b/c d.js:2:3", "get size", "/a b/c d.js", 2, 3);
    assert_parsed("JS:*run evalmachine.<anonymous>:1:5", "run", "evalmachine.<anonymous>", 1, 5);
}

static void functions_without_a_name_are_anonymous(void **state)
{
    (void)state;
    assert_parsed("JS:~ /tmp/hot.js:1:1", "(anonymous)", "/tmp/hot.js", 1, 1);
    assert_parsed("Script:~ /tmp/hot.js:1:1", "(anonymous)", "/tmp/hot.js", 1, 1);
}

static void urls_of_files_are_paths(void **state)
{
    (void)state;
    assert_parsed("JS:*f file:///tmp/a%20b.mjs:4:2", "f", "/tmp/a b.mjs", 4, 2);
    assert_parsed("JS:*f file:///tmp/%zz%2:4:2", "f", "/tmp/%zz%2", 4, 2);
    assert_parsed("JS:*f file:///tmp/%00x:4:2", "f", "/tmp/%00x", 4, 2);
    assert_parsed("JS:*f https://a.b/c.js:4:2", "f", "https://a.b/c.js", 4, 2);
}

static void other_names_are_left_alone(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "JS:",
        "JS:*",
        "JS:*f",
        "JS:*f /a.js",
        "JS:*:1:2",
        "JS:* :1:2",
        "JS:*f /a.js:",
        "JS:*f :1:2",
        "Builtin:f /a.js:1:2",
        "f /a:1:2",
        "JS:*f /a:0:1",
        "RegExp:a :1:2",
        "JS:12:3",
        "LHot;spin",
        "int Hot.run()",
        "LazyCompile",
        "LazyCompile:",
        "JS:*1:2",
    };
    for (size_t i = 0; i < array_length(names); i++) {
        struct jit_name parsed = {0};
        assert_int_equal(jit_name_parse(names[i], &parsed), -ENOENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_scripts_have_a_place),
        cmocka_unit_test(functions_without_a_name_are_anonymous),
        cmocka_unit_test(urls_of_files_are_paths),
        cmocka_unit_test(other_names_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
