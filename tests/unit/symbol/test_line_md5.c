/* The MD5 sums of line table headers, as an assembler and as an enemy write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbol/line_md5.h"

#define SUM_A "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"
#define SUM_ZERO "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define OPCODE_LENGTHS "\x00\x01\x01\x01\x01\x00\x00\x00\x01\x00\x00\x01"

/* After the unit length: version, sizes, header length, instructions, opcodes. */
#define START_32 "\x05\x00\x08\x00\x00\x00\x00\x00\x01\x01\x01\xfb\x0e\x0d" OPCODE_LENGTHS
#define START_64 "\x05\x00\x08\x00\x00\x00\x00\x00\0\0\0\0\x01\x01\x01\xfb\x0e\x0d" OPCODE_LENGTHS
/* One directory by line_strp; files by line_strp, udata directory, and a sum. */
#define TABLES_32                                                                                  \
    "\x01\x01\x1f\x01"                                                                             \
    "AAAA"                                                                                         \
    "\x03\x01\x1f\x02\x0b\x05\x1e"
#define TABLES_64                                                                                  \
    "\x01\x01\x1f\x01"                                                                             \
    "AAAAAAAA"                                                                                     \
    "\x03\x01\x1f\x02\x0b\x05\x1e"

/* A copy of exactly these bytes, so that a sanitizer sees reads beyond; with its unit length. */
static unsigned char *make_unit(const char *bytes, size_t length, bool is_64, size_t *ret_length)
{
    size_t prefix = is_64 ? 12 : 4;
    unsigned char *unit = malloc(prefix + length);
    assert_non_null(unit);
    uint64_t unit_bytes = length;
    if (is_64)
        memset(unit, 0xff, 4);
    memcpy(unit + (is_64 ? 4 : 0), &unit_bytes, is_64 ? 8 : 4);
    memcpy(unit + prefix, bytes, length);
    *ret_length = prefix + length;
    return unit;
}

#define READ(md5, is_64, bytes) read_unit(md5, bytes, sizeof(bytes) - 1, is_64)

static void read_unit(struct line_md5 *md5, const char *bytes, size_t length, bool is_64)
{
    size_t unit_bytes;
    unsigned char *unit = make_unit(bytes, length, is_64, &unit_bytes);
    *md5 = (struct line_md5){0};
    assert_int_equal(line_md5_read(unit, unit_bytes, 0, md5), 0);
    free(unit);
}

static void sums_are_found_by_index(void **state)
{
    struct line_md5 md5;
    (void)state;
    READ(&md5, false,
         START_32 TABLES_32 "\x02"
                            "BBBB\x00" SUM_ZERO "CCCC\x01" SUM_A);
    assert_int_equal(md5.count, 2);
    assert_null(line_md5_get(&md5, 0)); /* all zero: the assembler had none */
    assert_memory_equal(line_md5_get(&md5, 1), SUM_A, MD5_BYTES);
    assert_null(line_md5_get(&md5, 2));
    line_md5_free(&md5);
}

static void sums_are_found_in_64_bit_dwarf(void **state)
{
    struct line_md5 md5;
    (void)state;
    READ(&md5, true,
         START_64 TABLES_64 "\x01"
                            "BBBBBBBB\x00" SUM_A);
    assert_memory_equal(line_md5_get(&md5, 0), SUM_A, MD5_BYTES);
    line_md5_free(&md5);
}

static void other_headers_have_none(void **state)
{
    struct line_md5 md5;
    (void)state;
    /* Version 4; no sums; a form of unknown length. */
    READ(&md5, false,
         "\x04" START_32 TABLES_32 "\x01"
         "BBBB\x00" SUM_A);
    assert_null(line_md5_get(&md5, 0));
    READ(&md5, false,
         START_32 "\x01\x01\x1f\x01"
                  "AAAA"
                  "\x01\x01\x1f\x01"
                  "BBBB");
    assert_null(line_md5_get(&md5, 0));
    READ(&md5, false,
         START_32 "\x01\x01\x7f\x01"
                  "AAAA"
                  "\x01\x05\x1e\x01" SUM_A);
    assert_null(line_md5_get(&md5, 0));
}

static void a_count_beyond_the_section_is_not_believed(void **state)
{
    struct line_md5 md5;
    (void)state;
    READ(&md5, false,
         START_32 TABLES_32 "\xff\xff\x3f"
                            "BBBB\x00" SUM_A);
    assert_null(line_md5_get(&md5, 0));
    READ(&md5, false,
         START_32 "\x00\xff\xff\xff\xff\x0f"
                  "\x01\x05\x1e\x01" SUM_A);
    assert_memory_equal(line_md5_get(&md5, 0), SUM_A, MD5_BYTES);
    line_md5_free(&md5);
}

static void every_cut_and_every_changed_byte_is_survived(void **state)
{
    static const char whole[] = START_32 TABLES_32 "\x02"
                                                   "BBBB\x00" SUM_A "CCCC\x01" SUM_A;
    struct line_md5 md5;
    (void)state;
    for (size_t length = 0; length < sizeof whole; length++) {
        read_unit(&md5, whole, length, false);
        assert_true(md5.count <= 2);
        line_md5_free(&md5);
    }
    for (size_t at = 0; at < sizeof whole - 1; at++) {
        for (unsigned value = 0; value < 256; value++) {
            char changed[sizeof whole];
            memcpy(changed, whole, sizeof whole);
            changed[at] = (char)value;
            read_unit(&md5, changed, sizeof whole - 1, false);
            assert_true(md5.count <= sizeof whole);
            line_md5_free(&md5);
        }
    }
}

static void an_offset_beyond_the_section_has_none(void **state)
{
    struct line_md5 md5 = {0};
    (void)state;
    assert_int_equal(line_md5_read((const unsigned char *)"\0\0\0\0", 4, 4, &md5), 0);
    assert_int_equal(line_md5_read((const unsigned char *)"\0\0\0\0", 4, UINT64_MAX, &md5), 0);
    assert_int_equal(line_md5_read(NULL, 0, 0, &md5), 0);
    assert_null(md5.sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_found_by_index),
        cmocka_unit_test(sums_are_found_in_64_bit_dwarf),
        cmocka_unit_test(other_headers_have_none),
        cmocka_unit_test(a_count_beyond_the_section_is_not_believed),
        cmocka_unit_test(every_cut_and_every_changed_byte_is_survived),
        cmocka_unit_test(an_offset_beyond_the_section_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
