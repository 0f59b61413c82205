/* Call frame information is looked through before libdw sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unwind/cfi_check.h"

#define FRAME_VADDR 0x4000
#define CODE_VADDR 0x1000

struct section {
    unsigned char bytes[256];
    size_t length;
};

static void add(struct section *section, const void *bytes, size_t length)
{
    memcpy(section->bytes + section->length, bytes, length);
    section->length += length;
}

static void add_u32(struct section *section, uint32_t value)
{
    add(section, &value, sizeof value);
}

/* A CIE as GNU tools write it, and one entry with this program. */
static struct section with_program(const char *program, size_t length)
{
    static const char cie[] = "\1zR\0\1\x78\x10\1\x1b\x0c\7\x8\x90\1\0\0";
    struct section section = {0};
    add_u32(&section, sizeof cie - 1 + 4);
    add_u32(&section, 0);
    add(&section, cie, sizeof cie - 1);
    add_u32(&section, (uint32_t)(13 + length));
    add_u32(&section, (uint32_t)section.length);
    add_u32(&section, CODE_VADDR - FRAME_VADDR - (uint32_t)section.length);
    add_u32(&section, 0x100);
    add(&section, "", 1); /* no augmentation data */
    add(&section, program, length);
    return section;
}

static size_t count_sound(struct section *section, uint64_t *ret_start)
{
    struct cfi_entry *entries = NULL;
    size_t count = 0;
    assert_int_equal(cfi_check(section->bytes, section->length, FRAME_VADDR, &entries, &count), 0);
    *ret_start = count ? entries[0].start : 0;
    free(entries);
    return count;
}

#define assert_sound(expected, program)                                                            \
    do {                                                                                           \
        uint64_t start_;                                                                           \
        struct section section_ = with_program(program, sizeof program - 1);                       \
        assert_int_equal(count_sound(&section_, &start_), expected);                               \
        assert_int_equal(start_, (expected) ? CODE_VADDR : 0);                                     \
    } while (0)

static void what_compilers_write_is_sound(void **state)
{
    (void)state;
    assert_sound(1, "\x41\x0e\x10\x86\2\x43\x0d\6");           /* push rbp; mov rbp, rsp */
    assert_sound(1, "\x0e\x10\x46\x0e\x18\x4a\x0f\2\x77\x08"); /* an expression */
    assert_sound(1, "\x0a\x0e\x10\x0b\x2e\x10\x07\x10");       /* states, arguments, undefined */
}

static void register_numbers_stay_below_those_of_any_machine(void **state)
{
    (void)state;
    assert_sound(1, "\x05\x9f\1\1");
    assert_sound(0, "\x05\xa0\1\1");
    assert_sound(0, "\x07\xff\xff\xff\xff\x0f");
    assert_sound(0, "\x09\x10\xff\xff\x7f");
}

static void programs_that_end_early_are_passed_over(void **state)
{
    (void)state;
    assert_sound(0, "\x0f\x7f\x06"); /* an expression of 127 bytes, of which one is there */
    assert_sound(0, "\x0c\x07");
    assert_sound(0, "\x04\1\1\1");
    assert_sound(0, "\x3f"); /* no instruction */
}

static void states_are_not_remembered_without_end(void **state)
{
    (void)state;
    char program[65];
    memset(program, 0x0a, sizeof program);
    uint64_t start;
    struct section section = with_program(program, 64);
    assert_int_equal(count_sound(&section, &start), 1);
    section = with_program(program, 65);
    assert_int_equal(count_sound(&section, &start), 0);
}

static void an_entry_needs_a_sound_cie(void **state)
{
    (void)state;
    uint64_t start;
    struct section section = with_program("", 0);
    assert_int_equal(count_sound(&section, &start), 1);
    section.bytes[9] = 'x'; /* an augmentation that nobody knows */
    assert_int_equal(count_sound(&section, &start), 0);
    section = with_program("", 0);
    section.bytes[28]--; /* refers to the middle of the CIE */
    assert_int_equal(count_sound(&section, &start), 0);
}

static void debug_frame_is_taken_as_a_whole(void **state)
{
    (void)state;
    static const char cie[] = "\xff\xff\xff\xff\1\0\1\x78\x10\x0c\7\x8";
    struct section section = {0};
    add_u32(&section, sizeof cie - 1);
    add(&section, cie, sizeof cie - 1);
    size_t entry = section.length;
    add_u32(&section, 22);
    add_u32(&section, 0);
    add(&section, "\0\x10\0\0\0\0\0\0\0\1\0\0\0\0\0", 16);
    add(&section, "\x0e\x10", 2);
    assert_int_equal(cfi_check_debug_frame(section.bytes, section.length), 0);
    assert_int_not_equal(cfi_check_debug_frame(section.bytes, section.length - 1), 0);
    section.bytes[entry + 4] = 4; /* no CIE is there */
    assert_int_not_equal(cfi_check_debug_frame(section.bytes, section.length), 0);
}

/* DW_CFA_AARCH64_negate_ra_state is 0x2d, in code before an advance and in operands after it. */
static void a_signed_return_address_is_hidden_from_libdw(void **state)
{
    (void)state;
    uint64_t start;
    struct section section = with_program("\x2d\x41\x0e\x2d", 4);
    assert_int_equal(count_sound(&section, &start), 1);
    assert_memory_equal(section.bytes + section.length - 4, "\x00\x41\x0e\x2d", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_return_address_is_hidden_from_libdw),
        cmocka_unit_test(what_compilers_write_is_sound),
        cmocka_unit_test(register_numbers_stay_below_those_of_any_machine),
        cmocka_unit_test(programs_that_end_early_are_passed_over),
        cmocka_unit_test(states_are_not_remembered_without_end),
        cmocka_unit_test(an_entry_needs_a_sound_cie),
        cmocka_unit_test(debug_frame_is_taken_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
