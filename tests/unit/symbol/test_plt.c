/* Stubs of aarch64 are named on any machine; aarch64/stubs.c says how the files were made. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "symbol/plt.h"

/* The stubs of a file are exactly these three, each of so many bytes. */
static void assert_stubs(const char *file_name, const uint64_t starts[3], uint64_t bytes)
{
    static const char *const names[] = {"second@plt", "third@plt", "first@plt"};
    char path[512];
    snprintf(path, sizeof path, SOURCE_FOLDER "/unit/symbol/aarch64/%s", file_name);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    struct elf_reader *file = NULL;
    struct plt plt = {0};
    assert_int_equal(elf_reader_open(fd, &file), 0);
    assert_int_equal(plt_read(file, &plt), 0);
    assert_int_equal(plt.count, 3);
    for (size_t i = 0; i < plt.count; i++) {
        assert_int_equal(plt.entries[i].start, starts[i]);
        assert_int_equal(plt.entries[i].end, starts[i] + bytes);
        assert_string_equal(plt.names.bytes + plt.entries[i].name, names[i]);
    }
    plt_free(&plt);
    elf_reader_free(file);
}

static void stubs_of_four_instructions_are_named(void **state)
{
    (void)state;
    assert_stubs("stubs-plain", (const uint64_t[]){0x280, 0x290, 0x2a0}, 16);
}

static void stubs_that_check_signed_addresses_are_named(void **state)
{
    (void)state;
    assert_stubs("stubs-pac", (const uint64_t[]){0x280, 0x298, 0x2b0}, 20);
}

static void stubs_that_are_landing_pads_are_named(void **state)
{
    (void)state;
    assert_stubs("stubs-bti", (const uint64_t[]){0x400390, 0x4003a8, 0x4003c0}, 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stubs_of_four_instructions_are_named),
        cmocka_unit_test(stubs_that_check_signed_addresses_are_named),
        cmocka_unit_test(stubs_that_are_landing_pads_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
