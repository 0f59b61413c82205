/* /proc/PID/maps and address spaces: later mappings lie on top of earlier ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/address_space.h"
#include "process/maps.h"

struct seen {
    struct record_mapping mappings[8];
    char paths[8][64];
    size_t count;
};

static int see(void *user, const struct record_mapping *mapping)
{
    struct seen *seen = user;
    seen->mappings[seen->count] = *mapping;
    strncpy(seen->paths[seen->count++], mapping->path, 63);
    return 0;
}

static void only_executable_lines_are_mappings(void **state)
{
    (void)state;
    char text[] = "00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/with space\n"
                  "00651000-00652000 r--p 00051000 08:02 173521      /usr/bin/with space\n"
                  "7f00-7e00 r-xp 00000000 00:00 0 \n"
                  "nonsense\n"
                  "7fff0000-7fff2000 r-xp 00000000 00:00 0           [vdso]\n"
                  "80000000-80001000 rwxp 00000000 00:00 0 ";
    struct seen seen = {0};
    assert_int_equal(maps_parse(text, see, &seen), 0);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.mappings[0].start, 0x400000);
    assert_int_equal(seen.mappings[0].length, 0x52000);
    assert_int_equal(seen.mappings[0].file_offset, 0x1000);
    assert_int_equal(seen.mappings[0].device_major, 8);
    assert_int_equal(seen.mappings[0].inode, 173521);
    assert_string_equal(seen.paths[0], "/usr/bin/with space");
    assert_string_equal(seen.paths[1], "[vdso]");
    assert_string_equal(seen.paths[2], "");
}

static int argument_count; /* of this program */
static char **arguments;

struct fixture {
    struct target *target;
    struct module_table *modules;
    struct address_space *space;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    assert_int_equal(target_open(getpid(), &fixture.target), 0);
    assert_int_equal(module_table_new(fixture.target, &fixture.modules), 0);
    assert_int_equal(address_space_new(fixture.modules, &fixture.space), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    address_space_free(fixture->space);
    module_table_free(fixture->modules);
    target_free(fixture->target);
    return 0;
}

static void map_file(struct fixture *fixture, uint64_t start, uint64_t length, uint64_t inode)
{
    struct record_mapping mapping = {.start = start,
                                     .length = length,
                                     .inode = inode,
                                     .path = inode ? "/no/such/file" : "//anon"};
    assert_int_equal(address_space_map(fixture->space, &mapping), 0);
}

static uint64_t inode_at(struct fixture *fixture, uint64_t ip)
{
    uint64_t vaddr = 0;
    const struct module *module = address_space_find(fixture->space, ip, &vaddr);
    return module ? module->inode : UINT64_MAX;
}

static void a_mapping_in_the_middle_splits_the_one_below(void **state)
{
    struct fixture *fixture = *state;
    map_file(fixture, 0x10000, 0x10000, 1);
    assert_int_equal(inode_at(fixture, 0x15000), 1); /* now in the page cache */
    map_file(fixture, 0x14000, 0x2000, 2);
    assert_int_equal(inode_at(fixture, 0x13fff), 1);
    assert_int_equal(inode_at(fixture, 0x14000), 2);
    assert_int_equal(inode_at(fixture, 0x15fff), 2);
    assert_int_equal(inode_at(fixture, 0x16000), 1);
    assert_int_equal(inode_at(fixture, 0x1ffff), 1);
    assert_int_equal(inode_at(fixture, 0x20000), UINT64_MAX);
    assert_int_equal(inode_at(fixture, 0xffff), UINT64_MAX);
}

static void a_mapping_covers_several_and_parts(void **state)
{
    struct fixture *fixture = *state;
    map_file(fixture, 0x10000, 0x2000, 1);
    map_file(fixture, 0x12000, 0x2000, 2);
    map_file(fixture, 0x14000, 0x2000, 3);
    map_file(fixture, 0x11000, 0x4000, 4);
    assert_int_equal(inode_at(fixture, 0x10fff), 1);
    assert_int_equal(inode_at(fixture, 0x11000), 4);
    assert_int_equal(inode_at(fixture, 0x14fff), 4);
    assert_int_equal(inode_at(fixture, 0x15000), 3);
}

static void after_exec_nothing_is_mapped(void **state)
{
    struct fixture *fixture = *state;
    map_file(fixture, 0x10000, 0x2000, 1);
    assert_int_equal(inode_at(fixture, 0x10000), 1);
    address_space_clear(fixture->space);
    assert_int_equal(inode_at(fixture, 0x10000), UINT64_MAX);
}

static void anonymous_code_keeps_its_addresses(void **state)
{
    struct fixture *fixture = *state;
    uint64_t vaddr = 0;
    map_file(fixture, 0x10000, 0x2000, 0);
    const struct module *module = address_space_find(fixture->space, 0x10123, &vaddr);
    assert_non_null(module);
    assert_int_equal(module->kind, MODULE_ANONYMOUS);
    assert_int_equal(vaddr, 0x10123);
}

static void the_same_file_is_one_module_with_one_vaddr(void **state)
{
    struct fixture *fixture = *state;
    uint64_t vaddr = 0;
    assert_int_equal(address_space_read(fixture->space, getpid()), 0);
    const struct module *module =
        address_space_find(fixture->space, (uint64_t)(uintptr_t)set_up, &vaddr);
    assert_non_null(module);
    assert_int_equal(module->kind, MODULE_FILE);
    assert_true(module->fd >= 0);
    assert_true(module->segment_count > 0);
    /* The distance between two functions is the same in the file as in memory. */
    uint64_t other = 0;
    assert_ptr_equal(module,
                     address_space_find(fixture->space, (uint64_t)(uintptr_t)tear_down, &other));
    assert_int_equal(other - vaddr, (uintptr_t)tear_down - (uintptr_t)set_up);
    uint32_t modules = module_table_count(fixture->modules);
    assert_int_equal(address_space_read(fixture->space, getpid()), 0);
    assert_int_equal(module_table_count(fixture->modules), modules);
}

static void lines_of_maps_replace_what_was_mapped(void **state)
{
    struct fixture *fixture = *state;
    map_file(fixture, 0x10000, 0x2000, 1);
    map_file(fixture, 0x20000, 0x2000, 2);
    uint64_t generation = address_space_generation(fixture->space);
    const char *maps = "20000-21000 r-xp 00000000 00:00 3      /no/such/file\n"
                       "30000-31000 r-xp 00000000 00:00 4      /no/such/file\n";
    assert_int_equal(address_space_replace(fixture->space, maps), 0);
    assert_int_equal(inode_at(fixture, 0x10000), UINT64_MAX);
    assert_int_equal(inode_at(fixture, 0x20000), 3);
    assert_int_equal(inode_at(fixture, 0x21000), UINT64_MAX);
    assert_int_equal(inode_at(fixture, 0x30000), 4);
    assert_true(address_space_generation(fixture->space) != generation);
}

/* System V psABI, "Process Initialization": the stack pointer then points at the argument count. */
static void a_stack_begins_below_the_arguments(void **state)
{
    struct fixture *fixture = *state;
    struct address_space *child = NULL;
    uint64_t generation = address_space_generation(fixture->space);
    assert_int_equal(address_space_initial_sp(fixture->space), 0);
    address_space_read_initial_sp(fixture->space, getpid());
    uint64_t initial_sp = address_space_initial_sp(fixture->space);
    const uint64_t *words = (const uint64_t *)(uintptr_t)initial_sp;
    assert_int_equal(words[0], argument_count);
    assert_int_equal(words[1], (uintptr_t)arguments[0]);
    assert_true(address_space_generation(fixture->space) != generation);
    /* A copy of the process has the same stack; one that is not there has none. */
    assert_int_equal(address_space_clone(fixture->space, fixture->target, &child), 0);
    assert_int_equal(address_space_initial_sp(child), initial_sp);
    address_space_read_initial_sp(child, INT32_MAX);
    assert_int_equal(address_space_initial_sp(child), 0);
    address_space_free(child);
    assert_int_equal(address_space_read(fixture->space, getpid()), 0);
    assert_int_equal(address_space_initial_sp(fixture->space), initial_sp);
}

#define with_space(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    argument_count = argc;
    arguments = argv;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_executable_lines_are_mappings),
        with_space(a_mapping_in_the_middle_splits_the_one_below),
        with_space(a_mapping_covers_several_and_parts),
        with_space(after_exec_nothing_is_mapped),
        with_space(anonymous_code_keeps_its_addresses),
        with_space(lines_of_maps_replace_what_was_mapped),
        with_space(the_same_file_is_one_module_with_one_vaddr),
        with_space(a_stack_begins_below_the_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
