/* Go programs as files: where linkers leave the table of functions and what it refers to. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/go_module.h"
#include "go_elf.h"

static int open_bytes(const void *bytes, size_t length)
{
    int fd = memfd_create("go", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, length, 0), length);
    return fd;
}

static void assert_is_known(const struct go_elf *elf)
{
    _cleanup_close_ int fd = open_bytes(elf->bytes, elf->length);
    _cleanup_(go_module_close) struct go_module module;
    struct go_function function;
    struct go_inlined inlined;
    assert_int_equal(go_module_open(fd, &module), 0);
    assert_int_equal(module.vaddr, GO_TABLE_VADDR);
    assert_int_equal(go_pclntab_find(&module.table, GO_INLINED, &function), 0);
    assert_string_equal(function.name, "main.outer");
    assert_false(go_module_inlined(&module, &function, GO_INLINED, &inlined));
    go_module_find_trees(&module);
    assert_true(go_module_inlined(&module, &function, GO_INLINED, &inlined));
    assert_string_equal(inlined.name, "main.inner");
    assert_false(go_module_inlined(&module, &function, GO_OUTER, &inlined));
}

static void a_program_is_found_in_sections_of_its_own(void **state)
{
    (void)state;
    static struct go_elf elf;
    for (int version = GO_1_16; version <= GO_1_20; version++) {
        go_elf_build(&elf, (enum go_version)version, GO_PLAIN, true);
        assert_is_known(&elf);
    }
}

static void the_runtime_says_where_code_starts_when_the_table_does_not(void **state)
{
    (void)state;
    static struct go_elf elf;
    go_elf_build(&elf, GO_1_20, GO_PLAIN, false);
    assert_is_known(&elf);
}

static void a_position_independent_program_is_found_by_its_relocations(void **state)
{
    (void)state;
    static struct go_elf elf;
    for (int version = GO_1_18; version <= GO_1_20; version++) {
        go_elf_build(&elf, (enum go_version)version, GO_RELOCATED, false);
        assert_is_known(&elf);
    }
}

/* Whatever is found must be usable: asking is what must not go wrong. */
static void ask(const void *bytes, size_t length)
{
    _cleanup_close_ int fd = open_bytes(bytes, length);
    struct go_module module;
    if (go_module_open(fd, &module))
        return;
    go_module_find_trees(&module);
    for (uint64_t vaddr = GO_TEXT; vaddr < GO_END; vaddr += 8) {
        struct go_function function;
        struct go_inlined inlined;
        if (go_pclntab_find(&module.table, vaddr, &function) == 0 &&
            go_module_inlined(&module, &function, vaddr, &inlined))
            assert_true(inlined.name[0] != '\0' && inlined.call_vaddr < function.end);
    }
    go_module_close(&module);
}

static void a_file_that_is_cut_or_changed_is_read_within_its_bytes(void **state)
{
    (void)state;
    static struct go_elf elf;
    for (int placement = GO_PLAIN; placement <= GO_RELOCATED; placement++) {
        go_elf_build(&elf, GO_1_20, (enum go_placement)placement, false);
        for (size_t length = 0; length < elf.length; length += 16)
            ask(elf.bytes, length);
        for (size_t at = 0; at < elf.length; at++) {
            elf.bytes[at] ^= 0xff;
            ask(elf.bytes, elf.length);
            elf.bytes[at] ^= 0xff;
        }
    }
}

static void a_program_of_another_compiler_has_no_table(void **state)
{
    (void)state;
    struct go_module module;
    _cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(go_module_open(fd, &module), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_is_found_in_sections_of_its_own),
        cmocka_unit_test(the_runtime_says_where_code_starts_when_the_table_does_not),
        cmocka_unit_test(a_position_independent_program_is_found_by_its_relocations),
        cmocka_unit_test(a_file_that_is_cut_or_changed_is_read_within_its_bytes),
        cmocka_unit_test(a_program_of_another_compiler_has_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
