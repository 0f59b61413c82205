/* Text from debug information and sources becomes valid UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

static void check(const char *bytes, size_t length, const char *expected)
{
    struct text text = {0};
    utf8_add(&text, bytes, length);
    assert_string_equal(text.bytes ? text.bytes : "", expected);
    assert_true(utf8_valid(text.bytes ? text.bytes : "", text.length));
    text_free(&text);
}

static void well_formed_text_is_kept(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",        "int main", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\xa5", "\xf4\x8f\xbf\xbf",
        "a\r\nb\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_true(utf8_valid(texts[i], strlen(texts[i])));
        check(texts[i], strlen(texts[i]), texts[i]);
    }
}

/* The examples of Unicode 15, table 3-8 to 3-11: one replacement per maximal ill-formed part. */
static void ill_formed_parts_are_replaced(void **state)
{
    (void)state;
    check("a\xff"
          "b",
          3, "a" REPLACEMENT "b");
    check("\xc0\xaf", 2, REPLACEMENT REPLACEMENT);
    check("\xed\xa0\x80", 3, REPLACEMENT REPLACEMENT REPLACEMENT);
    check("\xf4\x91\x92\x93", 4, REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT);
    check("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", 9,
          REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT "A");
    check("\xe2\x82", 2, REPLACEMENT);
    check("a\0b", 3, "a" REPLACEMENT "b");
}

static void lines_are_neither_lost_nor_added(void **state)
{
    (void)state;
    struct text text = {0};
    static const char bytes[] = "\xe9t\xe9\n\xe2\n\xf0\x9f\n\n\xff\r\n";
    utf8_add(&text, bytes, sizeof bytes - 1);
    size_t lines = 0;
    for (size_t i = 0; i < text.length; i++)
        lines += text.bytes[i] == '\n';
    assert_int_equal(lines, 5);
    text_free(&text);
}

static void sources_that_are_not_utf8_are_latin1(void **state)
{
    (void)state;
    struct text text = {0};
    static const char bytes[] = "caf\xe9 \xa0\xff\n\x93\0\xc3\xa9\n\xe2\x82";
    utf8_add_source(&text, bytes, sizeof bytes - 1);
    assert_string_equal(text.bytes, "caf\u00e9 \u00a0\u00ff\n" REPLACEMENT REPLACEMENT
                                    "\u00e9\n\u00e2" REPLACEMENT);
    text_free(&text);
}

#define assert_source(bytes, want) assert_decoded(bytes, sizeof(bytes) - 1, want)

static void assert_decoded(const char *bytes, size_t length, const char *want)
{
    struct text text = {0};
    assert_false(utf8_valid(bytes, length));
    utf8_add_source(&text, bytes, length);
    assert_string_equal(text.bytes ? text.bytes : "", want);
    text_free(&text);
}

/* U+010A and U+0A0D have the bytes of line ends. */
static void a_byte_order_mark_tells_the_encoding(void **state)
{
    (void)state;
    const char want[] = "a\n\u010a\u0a0d\r\n\U0001f525";
    assert_source("\xff\xfe"
                  "a\0\n\0\x0a\x01\x0d\x0a\r\0\n\0\x3d\xd8\x25\xdd",
                  want);
    assert_source("\xfe\xff"
                  "\0a\0\n\x01\x0a\x0a\x0d\0\r\0\n\xd8\x3d\xdd\x25",
                  want);
    assert_source("\xff\xfe\0\0"
                  "a\0\0\0\n\0\0\0\x0a\x01\0\0\x0d\x0a\0\0\r\0\0\0\n\0\0\0\x25\xf5\x01\0",
                  want);
    assert_source("\0\0\xfe\xff"
                  "\0\0\0a\0\0\0\n\0\0\x01\x0a\0\0\x0a\x0d\0\0\0\r\0\0\0\n\0\x01\xf5\x25",
                  want);
    assert_source("\xff\xfe", "");
}

static void ascii_in_utf16_tells_the_encoding(void **state)
{
    (void)state;
    assert_source("i\0n\0t\0\n\0\x0a\x01;\0", "int\n\u010a;");
    assert_source("\0i\0n\0t\0\n\x01\x0a\0;", "int\n\u010a;");
    assert_source("int a\0\n;", "int a" REPLACEMENT "\n;");
    assert_source("\0\0\0\0", REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT);
}

static void what_is_no_character_of_an_encoding_is_replaced(void **state)
{
    (void)state;
    assert_source("\xff\xfe\x3d\xd8\n\0", REPLACEMENT "\n");            /* half of a pair */
    assert_source("\xff\xfe\x25\xdd\x3d\xd8", REPLACEMENT REPLACEMENT); /* the wrong way round */
    assert_source("\xff\xfe\0\1\0", "\u0100" REPLACEMENT);              /* cut short */
    assert_source("\xff\xfe"
                  "a\0\0\0",
                  "a" REPLACEMENT);
    assert_source("\0\0\xfe\xff\0\x11\0\0\0\0\xd8\0\0\0\0\n", REPLACEMENT REPLACEMENT "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_text_is_kept),
        cmocka_unit_test(ill_formed_parts_are_replaced),
        cmocka_unit_test(sources_that_are_not_utf8_are_latin1),
        cmocka_unit_test(a_byte_order_mark_tells_the_encoding),
        cmocka_unit_test(ascii_in_utf16_tells_the_encoding),
        cmocka_unit_test(what_is_no_character_of_an_encoding_is_replaced),
        cmocka_unit_test(lines_are_neither_lost_nor_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
