/* Files are known by a name without "..", and opened by the name that they were given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "symbol/store.h"

static const char *text(const struct store *store, uint32_t string)
{
    return string_table_get(&store->strings, string);
}

static void both_spellings_of_a_file_are_one(void **state)
{
    struct store store;
    uint32_t first, second, third;
    (void)state;
    assert_int_equal(store_init(&store), 0);
    assert_int_equal(store_add_named_file(&store, "/link/sub/../a.c", "/link/sub", 1, NULL, &first),
                     0);
    assert_int_equal(store_add_named_file(&store, "/link/a.c", "/link", 1, NULL, &second), 0);
    assert_int_equal(store_add_file(&store, "/link/a.c", "", 2, NULL, &third), 0);
    assert_int_equal(first, second);
    assert_int_equal(first, third);
    assert_string_equal(text(&store, store.files[first].path), "/link/a.c");
    assert_string_equal(text(&store, store.files[first].named), "/link/sub/../a.c");
    store_free(&store);
}

static void a_name_that_is_no_path_stays_as_it_is(void **state)
{
    struct store store;
    uint32_t id;
    (void)state;
    assert_int_equal(store_init(&store), 0);
    assert_int_equal(store_add_file(&store, "file:///srv/../a.mjs", "", 1, NULL, &id), 0);
    assert_string_equal(text(&store, store.files[id].path), "file:///srv/../a.mjs");
    assert_string_equal(text(&store, store.files[id].named), "file:///srv/../a.mjs");
    store_free(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_spellings_of_a_file_are_one),
        cmocka_unit_test(a_name_that_is_no_path_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
