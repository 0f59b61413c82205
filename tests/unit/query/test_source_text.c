/* Source text: every line, valid UTF-8, nothing that moves a terminal's cursor. */
#include "fixture.h"
#include "query/source_text.h"

static void assert_clean(const char *bytes, size_t length, const char *want)
{
    _cleanup_text_ struct text text = {0};
    source_text_add_clean(&text, bytes, length);
    assert_false(text.failed);
    assert_int_equal(text.length, strlen(want));
    assert_memory_equal(text.bytes ? text.bytes : "", want, strlen(want) + 1);
}

#define assert_cleaned(bytes, want) assert_clean(bytes, sizeof(bytes) - 1, want)

static void utf8_is_kept(void **state)
{
    (void)state;
    assert_cleaned("plain\ttext", "plain\ttext");
    assert_cleaned("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "é € 😀");
    assert_cleaned("", "");
}

static void other_bytes_are_latin1(void **state)
{
    (void)state;
    assert_cleaned("caf\xe9", "café");
    assert_cleaned("\xc3", "Ã");
    assert_cleaned("\xc0\xaf", "À¯");                /* overlong '/' */
    assert_cleaned("\xed\xa0\xbf", "í\u00a0¿");      /* surrogate */
    assert_cleaned("\xf4\xa0\xbf\xbf", "ô\u00a0¿¿"); /* past U+10FFFF */
    assert_cleaned("\xf8", "ø");
    assert_cleaned("\xe2\x82", "â\ufffd"); /* cut short; 0x82 is a control in Latin-1 */
}

static void control_characters_are_made_visible(void **state)
{
    (void)state;
    assert_cleaned("\x1b[2J", "␛[2J");
    assert_cleaned("a\0b\rc\x7f", "a␀b␍c␡");
    assert_cleaned("\xc2\x9b", "\ufffd"); /* a one-character CSI */
}

static void assert_line(const struct source_text *source, uint32_t line, const char *want)
{
    _cleanup_text_ struct text text = {0};
    text_add_string(&text, "");
    assert_true(source_text_add_line(source, line, &text));
    assert_string_equal(text.bytes, want);
}

static void lines_end_at_newlines(void **state)
{
    (void)state;
    const char bytes[] = "\xef\xbb\xbf"
                         "one\r\n\ntwo\rhalf\nlast\r";
    _cleanup_source_text_ struct source_text source;
    assert_int_equal(source_text_init(&source, bytes, sizeof bytes - 1), 0);
    assert_int_equal(source.line_count, 4);
    assert_line(&source, 1, "one");
    assert_line(&source, 2, "");
    assert_line(&source, 3, "two␍half");
    assert_line(&source, 4, "last␍");
    struct text none = {0};
    assert_false(source_text_add_line(&source, 0, &none));
    assert_false(source_text_add_line(&source, 5, &none));
}

static void every_line_of_a_long_file_is_found(void **state)
{
    (void)state;
    _cleanup_text_ struct text bytes = {0};
    for (int i = 1; i <= 1000; i++)
        text_printf(&bytes, "line %d\n", i);
    _cleanup_source_text_ struct source_text source;
    assert_int_equal(source_text_init(&source, bytes.bytes, bytes.length), 0);
    assert_int_equal(source.line_count, 1000);
    for (uint32_t i = 1; i <= 1000; i++) {
        char want[32];
        snprintf(want, sizeof want, "line %u", i);
        assert_line(&source, i, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_kept),
        cmocka_unit_test(other_bytes_are_latin1),
        cmocka_unit_test(control_characters_are_made_visible),
        cmocka_unit_test(lines_end_at_newlines),
        cmocka_unit_test(every_line_of_a_long_file_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
