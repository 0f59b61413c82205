/* Mangled names become readable ones, within bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "symbol/demangle.h"
#include "symbol/store.h"

static void assert_readable(const char *symbol, const char *expected)
{
    _cleanup_free_ char *name = NULL;
    assert_int_equal(demangle(symbol, &name), 0);
    assert_string_equal(name, expected);
}

static void cxx_names_show_their_signature(void **state)
{
    (void)state;
    assert_readable("_ZN3foo3barEib", "foo::bar(int, bool)");
    assert_readable("_ZNKSt6vectorIiSaIiEE4sizeEv",
                    "std::vector<int, std::allocator<int> >::size() const");
    assert_readable("_ZN3foo3barEi.cold", "foo::bar(int) [clone .cold]");
}

static void rust_names_lose_their_hash(void **state)
{
    (void)state;
    assert_readable("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad");
    assert_readable("_RNvC6_123foo3bar", "123foo::bar");
}

/* A function pointer for<'a>; one whose 62^5 lifetimes would be counted for minutes. */
static void binders_are_counted_within_reason(void **state)
{
    (void)state;
    assert_readable("_RINvC3foo3barFG_RL0_uEuE", "foo::bar::<for<'a> fn(&'a ())>");
    assert_readable("_RNvXYFGGGGst2rsFotB3_3B", "_RNvXYFGGGGst2rsFotB3_3B");
    assert_readable("_RNvYDG0zz_B_3foo", "_RNvYDG0zz_B_3foo");
}

static void d_names_are_read(void **state)
{
    (void)state;
    assert_readable("_D3std5stdio7writelnFAyaZv", "std.stdio.writeln(immutable(char)[])");
}

static void fortran_names_show_their_module(void **state)
{
    (void)state;
    assert_readable("__solver_MOD_grid_step", "solver::grid_step");
    assert_readable("__a_MOD_b.constprop.0", "a::b.constprop.0");
    assert_readable("__solver_MOD_", "__solver_MOD_");
    assert_readable("___MOD_step", "___MOD_step");
    assert_readable("__MOD_step", "__MOD_step");
    assert_readable("__Solver_MOD_step", "__Solver_MOD_step");
    assert_readable("__libc_start_main", "__libc_start_main");
}

static void other_names_stay(void **state)
{
    (void)state;
    assert_readable("main", "main");
    assert_readable("_start", "_start");
    assert_readable("_Zebra", "_Zebra");
    assert_readable("_D", "_D");
    assert_readable("", "");
}

/* A function of two of the last: each doubles the output, 2^30 characters if nobody stops it. */
static void exploding_names_stay_mangled(void **state)
{
    (void)state;
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    _cleanup_text_ struct text symbol = {0};
    text_add_string(&symbol, "_Z1fPFvvE");
    for (int i = 0; i < 30; i++) {
        int last = 2 * i; /* substitution S<last>_ in base 36 is the pointer of the last round */
        char high = digits[last / 36], low = digits[last % 36];
        text_printf(&symbol, "PFvS%c%c_S%c%c_E", high, low, high, low);
    }
    assert_readable(symbol.bytes, symbol.bytes);
}

static void endless_names_are_neither_tried_nor_copied(void **state)
{
    (void)state;
    _cleanup_text_ struct text symbol = {0};
    text_add_string(&symbol, "_Z");
    for (int i = 0; i < 100000; i++)
        text_add_string(&symbol, "P");
    _cleanup_free_ char *name = NULL;
    assert_int_equal(demangle(symbol.bytes, &name), 0);
    assert_in_range(strlen(name), STORED_NAME_BYTES_MAX + 1, 20000);
    assert_memory_equal(name, symbol.bytes, strlen(name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cxx_names_show_their_signature),
        cmocka_unit_test(rust_names_lose_their_hash),
        cmocka_unit_test(binders_are_counted_within_reason),
        cmocka_unit_test(d_names_are_read),
        cmocka_unit_test(fortran_names_show_their_module),
        cmocka_unit_test(other_names_stay),
        cmocka_unit_test(exploding_names_stay_mangled),
        cmocka_unit_test(endless_names_are_neither_tried_nor_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
