/* Files whose units all name the same thing: they cost their owner little, and must cost us no
 * more. */
#include "module_fixture.h"

#include <sys/resource.h>

#include "symbol/unit_index.h"

#define UNITS 100

/* DWARF 4: units of one DIE with one ATTRIBUTE, an offset, all of them 0. */
static const char units[] = "    .section .debug_abbrev, \"\"\n"
                            "    .set code, 2\n"
                            "    .rept OTHERS\n"
                            "    .uleb128 code\n"
                            "    .byte 0x11, 0, 0, 0\n"
                            "    .set code, code + 1\n"
                            "    .endr\n"
                            "    .byte 1, 0x11, 0, ATTRIBUTE, 0x17, 0, 0, 0\n"
                            "    .section .debug_info, \"\"\n"
                            "    .rept UNITS\n"
                            "    .long 12\n"
                            "    .short 4\n"
                            "    .long 0\n"
                            "    .byte 8, 1\n"
                            "    .long 0\n"
                            "    .endr\n"
                            "    .text\n"
                            "code_start:\n"
                            "    .fill 16\n"
                            "    .section .note.GNU-stack, \"\"\n";

/* Two rows, and 4 MB of DW_LNS_negate_stmt. */
static const char program[] = "    .section .debug_line, \"\"\n"
                              "    .long end - start\n"
                              "start: .short 4\n"
                              "    .long rows - header\n"
                              "header: .byte 1, 1, 1, -5, 14, 13\n"
                              "    .byte 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1\n"
                              "    .byte 0\n"
                              "    .asciz \"a.c\"\n"
                              "    .byte 0, 0, 0, 0\n"
                              "rows: .byte 0, 9, 2\n"
                              "    .quad code_start\n"
                              "    .byte 1\n"
                              "    .fill 4 << 20, 1, 6\n"
                              "    .byte 2, 8, 0, 1, 1\n"
                              "end:\n";

/* One range, and 4 MB of empty ones. */
static const char list[] = "    .section .debug_ranges, \"\"\n"
                           "    .quad code_start, code_start + 8\n"
                           "    .fill 4 << 17, 8, 1\n"
                           "    .quad 0, 0\n";

struct opened {
    struct elf_reader *file;
    struct debug_image *image;
};

static bool build(struct fixture *fixture, const char *table, unsigned attribute, unsigned others,
                  struct opened *opened)
{
    if (!have_tool("gcc"))
        return false;
    fixture_write(fixture, "units.s", units);
    fixture_write(fixture, "table.s", table);
    run_or_fail("cd %s && cat table.s >>units.s && gcc -shared -nostdlib -o units.so "
                "-Wa,--defsym,ATTRIBUTE=%u,--defsym,OTHERS=%u,--defsym,UNITS=%u units.s 2>&1",
                fixture->directory, attribute, others, UNITS);
    fixture_open_built(fixture, "units.so");
    assert_int_equal(elf_reader_open(fixture->module.fd, &opened->file), 0);
    assert_int_equal(debug_image_load(opened->file, NULL, &opened->image), 0);
    return true;
}

static void close_opened(struct opened *opened)
{
    debug_image_free(opened->image);
    elf_reader_free(opened->file);
}

/* How many of the units are believed, of which some are not. */
static size_t count_units(const struct opened *opened)
{
    struct unit_index index;
    assert_int_equal(unit_index_read(opened->image, 1, NULL, NULL, &index), 0);
    size_t count = index.count;
    assert_true(index.is_damaged);
    unit_index_free(&index);
    return count;
}

/* 256 MB are read of 400. */
static void line_programs_of_all_units_are_bounded(void **state)
{
    _cleanup_(close_opened) struct opened opened = {0};
    if (!build(*state, program, 0x10, 0, &opened))
        skip();
    assert_in_range(count_units(&opened), 63, 65);
}

static void range_lists_of_all_units_are_bounded(void **state)
{
    _cleanup_(close_opened) struct opened opened = {0};
    if (!build(*state, list, 0x55, 0, &opened))
        skip();
    assert_in_range(count_units(&opened), 63, 65);
}

/* libdw would keep some GB. */
static void abbreviations_of_all_units_are_bounded(void **state)
{
    struct rusage usage;
    _cleanup_(close_opened) struct opened opened = {0};
    if (!build(*state, list, 0x55, 600000, &opened))
        skip();
    assert_in_range(count_units(&opened), 1, 10);
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    assert_true(usage.ru_maxrss < 1 << 20); /* KiB */
}

static void reading_can_be_cancelled(void **state)
{
    struct unit_index index;
    struct cancel cancel = {0};
    _cleanup_(close_opened) struct opened opened = {0};
    if (!build(*state, list, 0x55, 0, &opened))
        skip();
    cancel_want(&cancel);
    assert_int_equal(unit_index_read(opened.image, 1, NULL, &cancel, &index), -ECANCELED);
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(line_programs_of_all_units_are_bounded),
        test(range_lists_of_all_units_are_bounded),
        test(abbreviations_of_all_units_are_bounded),
        test(reading_can_be_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
