/* Packed columns: every number comes back, and other bytes are no numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "saved/column.h"

static struct column column_of(const void *bytes, size_t length, uint64_t count)
{
    return (struct column){.reader = {.bytes = bytes, .length = length}, .count = count};
}

static void every_number_comes_back(void **state)
{
    static const uint64_t values[] = {
        0,  1,          2, 1,          UINT64_MAX,    0, INT64_MAX, UINT64_MAX / 2 + 1, 42,
        42, 1ull << 63, 0, UINT32_MAX, UINT64_MAX - 1};
    (void)state;
    struct column_writer writer = {0};
    for (size_t i = 0; i < array_length(values); i++)
        column_add(&writer, values[i]);
    assert_int_equal(writer.count, array_length(values));
    struct column column = column_of(writer.bytes.bytes, writer.bytes.length, writer.count);
    for (size_t i = 0; i < array_length(values); i++) {
        assert_false(column_is_finished(&column));
        assert_true(column_next(&column) == values[i]);
    }
    assert_true(column_is_finished(&column));
    assert_int_equal(column_next(&column), 0);
    assert_false(column_is_finished(&column));
    text_free(&writer.bytes);
}

static void equal_steps_take_a_byte_each(void **state)
{
    (void)state;
    struct column_writer writer = {0};
    for (uint64_t i = 0; i < 1000; i++)
        column_add(&writer, 40 * i);
    assert_int_equal(writer.bytes.length, 1000);
    text_free(&writer.bytes);
}

static void bytes_that_are_no_number_are_refused(void **state)
{
    static const unsigned char cut[] = {0x80}, wide[] = {0xff, 0xff, 0xff, 0xff, 0xff,
                                                         0xff, 0xff, 0xff, 0xff, 0x02},
                               endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                            0x80, 0x80, 0x80, 0x80, 0x80, 0x00};
    (void)state;
    struct column columns[] = {column_of(cut, sizeof cut, 1), column_of(wide, sizeof wide, 1),
                               column_of(endless, sizeof endless, 1)};
    for (size_t i = 0; i < array_length(columns); i++) {
        assert_int_equal(column_next(&columns[i]), 0);
        assert_true(columns[i].reader.failed);
    }
}

static void a_number_that_is_too_large_is_refused(void **state)
{
    static const unsigned char twelve[] = {24};
    (void)state;
    struct column column = column_of(twelve, sizeof twelve, 1);
    assert_int_equal(column_next_below(&column, 12), 0);
    assert_true(column.reader.failed);
    column = column_of(twelve, sizeof twelve, 1);
    assert_int_equal(column_next_below(&column, 13), 12);
    assert_true(column_is_finished(&column));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_comes_back),
        cmocka_unit_test(equal_steps_take_a_byte_each),
        cmocka_unit_test(bytes_that_are_no_number_are_refused),
        cmocka_unit_test(a_number_that_is_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
