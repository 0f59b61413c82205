/* Debug information in files of its own is found, checked, and otherwise not believed. */
#include "module_fixture.h"

static const char program[] = "static __attribute__((noinline)) int work(int x)\n"
                              "{\n"
                              "    return x * 7 + 3;\n" /* line 3 */
                              "}\n"
                              "int main(int argc, char **argv)\n"
                              "{\n"
                              "    return argv ? work(argc) : 0;\n"
                              "}\n";

/* program (stripped) and program.debug; the address of work() is in *ret_vaddr. */
static bool build(struct fixture *fixture, const char *options, uint64_t *ret_vaddr)
{
    if (!have_tool("gcc") || !have_tool("objcopy"))
        return false;
    fixture_write(fixture, "program.c", program);
    run_or_fail("cd %s && gcc -g -O1 %s -o program program.c 2>&1", fixture->directory, options);
    fixture_open_built(fixture, "program");
    *ret_vaddr = fixture_symbol(fixture, "work");
    run_or_fail("cd %s && objcopy --only-keep-debug program program.debug && strip -s program && "
                "objcopy --add-gnu-debuglink=program.debug program",
                fixture->directory);
    fixture_open_built(fixture, "program");
    return true;
}

static void assert_line(struct fixture *fixture, uint64_t vaddr)
{
    struct frame_span span = fixture_resolve(fixture, vaddr, false);
    assert_int_equal(span.status, SYMBOL_LINE);
    assert_string_equal(fixture_function(fixture, &span, 0), "work");
    /* The first instruction is the opening brace's or the body's. */
    assert_in_range(span.frames[0].line, 1, 3);
}

static void assert_no_debug_information(struct fixture *fixture, uint64_t vaddr)
{
    struct frame_span span = fixture_resolve(fixture, vaddr, false);
    assert_int_equal(span.status, SYMBOL_NO_DEBUG_INFO);
}

static void debuglink_beside_the_binary_is_found(void **state)
{
    struct fixture *fixture = *state;
    uint64_t vaddr = 0;
    if (!build(fixture, "", &vaddr))
        skip();
    assert_line(fixture, vaddr);
}

static void debuglink_in_the_debug_directory_is_found(void **state)
{
    struct fixture *fixture = *state;
    uint64_t vaddr = 0;
    if (!build(fixture, "", &vaddr))
        skip();
    run_or_fail("cd %s && mkdir .debug && mv program.debug .debug/", fixture->directory);
    assert_line(fixture, vaddr);
}

static void checksum_counts_where_there_is_no_build_id(void **state)
{
    struct fixture *fixture = *state;
    uint64_t vaddr = 0;
    if (!build(fixture, "-Wl,--build-id=none", &vaddr))
        skip();
    assert_line(fixture, vaddr);
    run_or_fail("cd %s && printf x >> program.debug", fixture->directory);
    fixture_open_built(fixture, "program");
    assert_no_debug_information(fixture, vaddr);
}

static void other_build_id_is_refused(void **state)
{
    struct fixture *fixture = *state;
    uint64_t vaddr = 0;
    if (!build(fixture, "-Wl,--build-id=0x11223344", &vaddr))
        skip();
    run_or_fail("cd %s && gcc -g -O2 -Wl,--build-id=0x55667788 -o other program.c && "
                "objcopy --only-keep-debug other program.debug",
                fixture->directory);
    assert_no_debug_information(fixture, vaddr);
}

static void compressed_sections_are_inflated(void **state)
{
    struct fixture *fixture = *state;
    uint64_t vaddr = 0;
    if (!build(fixture, "", &vaddr))
        skip();
    run_or_fail("cd %s && objcopy --compress-debug-sections program.debug", fixture->directory);
    assert_line(fixture, vaddr);
}

static void missing_debug_file_is_said(void **state)
{
    struct fixture *fixture = *state;
    uint64_t vaddr = 0;
    if (!build(fixture, "", &vaddr))
        skip();
    run_or_fail("rm %s/program.debug", fixture->directory);
    assert_no_debug_information(fixture, vaddr);
}

/* Lines need no alternate file; and libdw must not go looking for one. */
static void missing_alternate_file_costs_no_lines(void **state)
{
    struct fixture *fixture = *state;
    uint64_t vaddr = 0;
    if (!build(fixture, "", &vaddr))
        skip();
    run_or_fail("cd %s && printf '/nowhere/alternate\\0abcdefghijklmnopqrst' > link && "
                "objcopy --add-section .gnu_debugaltlink=link program.debug",
                fixture->directory);
    assert_line(fixture, vaddr);
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(debuglink_beside_the_binary_is_found),
        test(debuglink_in_the_debug_directory_is_found),
        test(checksum_counts_where_there_is_no_build_id),
        test(other_build_id_is_refused),
        test(compressed_sections_are_inflated),
        test(missing_debug_file_is_said),
        test(missing_alternate_file_costs_no_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
