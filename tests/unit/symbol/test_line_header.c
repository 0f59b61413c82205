/* Headers of line programs, as an assembler and as an enemy write them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "symbol/line_header.h"
#include "symbol/path.h"

#define SUM_A "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"
#define SUM_ZERO "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define OPCODE_LENGTHS "\x00\x01\x01\x01\x01\x00\x00\x00\x01\x00\x00\x01"

/* After the unit length: version, sizes, header length, instructions, opcodes. */
#define START_32 "\x05\x00\x08\x00\x00\x00\x00\x00\x01\x01\x01\xfb\x0e\x0d" OPCODE_LENGTHS
#define START_64 "\x05\x00\x08\x00\x00\x00\x00\x00\0\0\0\0\x01\x01\x01\xfb\x0e\x0d" OPCODE_LENGTHS
/* One directory by line_strp; files by line_strp, udata directory, and a sum. */
#define TABLES_32                                                                                  \
    "\x01\x01\x1f\x01"                                                                             \
    "\0\0\0\0"                                                                                     \
    "\x03\x01\x1f\x02\x0b\x05\x1e"
#define TABLES_64                                                                                  \
    "\x01\x01\x1f\x01"                                                                             \
    "\0\0\0\0\0\0\0\0"                                                                             \
    "\x03\x01\x1f\x02\x0b\x05\x1e"

#define LINE_STRINGS "/src\0a.c\0b.c"

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

#define READ(header, is_64, bytes) read_unit(header, bytes, sizeof(bytes) - 1, is_64)

/* The header owns nothing of the unit, but borrows from it: sums are compared before it is freed.
 */
struct unit {
    unsigned char *bytes; /* owned */
    struct line_header header;
    int error;
};

static void read_unit(struct unit *unit, const char *bytes, size_t length, bool is_64)
{
    size_t unit_bytes;
    unit->bytes = make_unit(bytes, length, is_64, &unit_bytes);
    unit->header = (struct line_header){0};
    struct line_sections sections = {
        .line = {unit->bytes, unit_bytes},
        .line_str = {(const unsigned char *)LINE_STRINGS, sizeof LINE_STRINGS},
    };
    unit->error = line_header_read(&sections, 0, &unit->header);
    assert_true(unit->error == 0 || unit->error == -EBADMSG);
}

static void free_unit(struct unit *unit)
{
    line_header_free(&unit->header);
    free(unit->bytes);
}

static void files_have_names_directories_and_sums(void **state)
{
    struct unit unit;
    (void)state;
    READ(&unit, false,
         START_32 TABLES_32 "\x02"
                            "\x05\0\0\0\x00" SUM_ZERO "\x09\0\0\0\x01" SUM_A);
    assert_int_equal(unit.error, 0);
    assert_int_equal(unit.header.version, 5);
    assert_int_equal(unit.header.file_count, 2);
    assert_string_equal(unit.header.files[0].name, "a.c");
    assert_string_equal(unit.header.files[0].directory, "/src");
    assert_null(unit.header.files[0].md5); /* all zero: the assembler had none */
    assert_string_equal(unit.header.files[1].name, "b.c");
    assert_null(unit.header.files[1].directory); /* there is no directory 1 */
    assert_memory_equal(unit.header.files[1].md5, SUM_A, MD5_BYTES);
    free_unit(&unit);
}

static void endless_names_are_left_out(void **state)
{
    static const char bytes[] = START_32 TABLES_32 "\x02"
                                                   "\x05\0\0\0\x00" SUM_A "\x09\0\0\0\x00" SUM_A;
    char strings[PATH_BYTES_MAX + 16] = LINE_STRINGS;
    struct line_header header = {0};
    size_t length;
    (void)state;
    memset(strings + 9, 'b', sizeof strings - 10);
    _cleanup_free_ unsigned char *unit = make_unit(bytes, sizeof bytes - 1, false, &length);
    struct line_sections sections = {
        .line = {unit, length},
        .line_str = {(const unsigned char *)strings, sizeof strings},
    };
    assert_int_equal(line_header_read(&sections, 0, &header), 0);
    assert_string_equal(header.files[0].name, "a.c");
    assert_null(header.files[1].name);
    line_header_free(&header);
}

static void sums_are_found_in_64_bit_dwarf(void **state)
{
    struct unit unit;
    (void)state;
    READ(&unit, true,
         START_64 TABLES_64 "\x01"
                            "\x05\0\0\0\0\0\0\0\x00" SUM_A);
    assert_int_equal(unit.error, 0);
    assert_string_equal(unit.header.files[0].name, "a.c");
    assert_memory_equal(unit.header.files[0].md5, SUM_A, MD5_BYTES);
    free_unit(&unit);
}

static void before_dwarf_5_files_count_from_one(void **state)
{
    struct unit unit;
    (void)state;
    READ(&unit, false,
         "\x04\x00\x2b\x00\x00\x00\x01\x01\x01\xfb\x0e\x0d" OPCODE_LENGTHS "/src\0lib\0\0"
         "a.c\0\x01\0\0"
         "b.c\0\x00\x05\x07\0");
    assert_int_equal(unit.error, 0);
    assert_int_equal(unit.header.file_count, 3);
    assert_null(unit.header.files[0].name);
    assert_string_equal(unit.header.files[1].name, "a.c");
    assert_string_equal(unit.header.files[1].directory, "/src");
    assert_string_equal(unit.header.files[2].name, "b.c");
    assert_null(unit.header.files[2].directory);
    free_unit(&unit);
}

static void unknown_forms_and_versions_are_refused(void **state)
{
    struct unit unit;
    (void)state;
    READ(&unit, false, "\x06" START_32 TABLES_32 "\x00");
    assert_int_equal(unit.error, -EBADMSG);
    free_unit(&unit);
    READ(&unit, false,
         START_32 "\x01\x01\x7f\x01"
                  "AAAA"
                  "\x01\x05\x1e\x01" SUM_A);
    assert_int_equal(unit.error, -EBADMSG);
    free_unit(&unit);
}

static void a_count_beyond_the_section_is_not_believed(void **state)
{
    struct unit unit;
    (void)state;
    READ(&unit, false,
         START_32 TABLES_32 "\xff\xff\x3f"
                            "\x05\0\0\0\x00" SUM_A);
    assert_int_equal(unit.error, -EBADMSG);
    free_unit(&unit);
    /* Entries of nothing take no time, however many there are said to be. */
    READ(&unit, false,
         START_32 "\x00\xff\xff\xff\xff\x0f"
                  "\x01\x05\x1e\x01" SUM_A);
    assert_int_equal(unit.error, 0);
    assert_memory_equal(unit.header.files[0].md5, SUM_A, MD5_BYTES);
    free_unit(&unit);
}

static void every_cut_and_every_changed_byte_is_survived(void **state)
{
    static const char whole[] = START_32 TABLES_32 "\x02"
                                                   "\x05\0\0\0\x00" SUM_A "\x09\0\0\0\x01" SUM_A;
    struct unit unit;
    (void)state;
    for (size_t length = 0; length < sizeof whole; length++) {
        read_unit(&unit, whole, length, false);
        assert_true(unit.header.file_count <= 2);
        free_unit(&unit);
    }
    for (size_t at = 0; at < sizeof whole - 1; at++) {
        for (unsigned value = 0; value < 256; value++) {
            char changed[sizeof whole];
            memcpy(changed, whole, sizeof whole);
            changed[at] = (char)value;
            read_unit(&unit, changed, sizeof whole - 1, false);
            assert_true(unit.header.file_count <= sizeof whole);
            free_unit(&unit);
        }
    }
}

static void an_offset_beyond_the_section_has_none(void **state)
{
    struct line_sections sections = {.line = {(const unsigned char *)"\0\0\0\0", 4}};
    struct line_header header;
    (void)state;
    assert_int_equal(line_header_read(&sections, 4, &header), -EBADMSG);
    assert_int_equal(line_header_read(&sections, UINT64_MAX, &header), -EBADMSG);
    sections.line = (struct span){0};
    assert_int_equal(line_header_read(&sections, 0, &header), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_have_names_directories_and_sums),
        cmocka_unit_test(endless_names_are_left_out),
        cmocka_unit_test(sums_are_found_in_64_bit_dwarf),
        cmocka_unit_test(before_dwarf_5_files_count_from_one),
        cmocka_unit_test(unknown_forms_and_versions_are_refused),
        cmocka_unit_test(a_count_beyond_the_section_is_not_believed),
        cmocka_unit_test(every_cut_and_every_changed_byte_is_survived),
        cmocka_unit_test(an_offset_beyond_the_section_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
