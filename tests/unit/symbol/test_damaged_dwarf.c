/* Debug information that cannot be read is called so: it is not code without lines. */
#include "module_fixture.h"

static const char work[] = "static inline int twice(int x) { return x * 2; }\n"
                           "__attribute__((noinline)) int work(int x)\n"
                           "{\n"
                           "    return twice(x * 7 + 3) ^ x;\n" /* line 4 */
                           "}\n";

static const char program[] = "int work(int x);\n"
                              "int bare(int x);\n"
                              "int main(int argc, char **argv)\n"
                              "{\n"
                              "    return argv ? work(argc) + bare(argc) : 0;\n"
                              "}\n";

static const char bare[] = "int bare(int x) { return x + 1; }\n";

/* Two units, that of work() first, and a function without any. */
static bool build(struct fixture *fixture, const char *options)
{
    if (!have_tool("gcc") || !have_tool("readelf"))
        return false;
    fixture_write(fixture, "work.c", work);
    fixture_write(fixture, "program.c", program);
    fixture_write(fixture, "bare.c", bare);
    run_or_fail("cd %s && gcc -g0 -O1 -c bare.c 2>&1 && "
                "gcc -g %s -O1 -o program work.c program.c bare.o 2>&1",
                fixture->directory, options);
    fixture_open_built(fixture, "program");
    return true;
}

/* Where a section is in the file, and how long it is there. */
static void find_section(const struct fixture *fixture, const char *name, off_t *ret_offset,
                         off_t *ret_bytes)
{
    _cleanup_free_ char *output =
        run("readelf -SW %s | sed -n 's/.* \\%s *PROGBITS *[0-9a-f]* //p'", fixture->path, name);
    assert_non_null(output);
    assert_true(output[0]);
    char *end;
    *ret_offset = strtol(output, &end, 16);
    *ret_bytes = strtol(end, NULL, 16);
}

/* Sets `count` bytes of a section to `byte`, as far as it reaches. */
static void overwrite(const struct fixture *fixture, const char *name, off_t from, off_t count,
                      unsigned char byte)
{
    off_t offset, bytes;
    find_section(fixture, name, &offset, &bytes);
    _cleanup_close_ int fd = open(fixture->path, O_RDWR | O_CLOEXEC);
    for (off_t at = from; at < bytes && at < from + count; at++)
        assert_int_equal(pwrite(fd, &byte, 1, offset + at), 1);
}

static enum symbol_status status_of(struct fixture *fixture, const char *function)
{
    uint64_t vaddr = fixture_symbol(fixture, function);
    struct frame_span span = fixture_resolve(fixture, vaddr, false);
    assert_string_equal(fixture_function(fixture, &span, span.count - 1), function);
    return span.status;
}

static void assert_problem(const struct fixture *fixture)
{
    _cleanup_free_ char *problem = symbols_problem(fixture->symbols, &fixture->module);
    assert_non_null(problem);
    assert_non_null(strstr(problem, "damaged"));
}

static void assert_no_problem(const struct fixture *fixture)
{
    _cleanup_free_ char *problem = symbols_problem(fixture->symbols, &fixture->module);
    assert_null(problem);
}

static const char *const versions[] = {"-gdwarf-4", "-gdwarf-5"};

static void code_without_lines_is_not_damaged(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < array_length(versions); i++) {
        if (!build(fixture, versions[i]))
            skip();
        assert_int_equal(status_of(fixture, "work"), SYMBOL_LINE);
        assert_int_equal(status_of(fixture, "bare"), SYMBOL_NO_LINE);
        assert_int_equal(status_of(fixture, "_start"), SYMBOL_NO_LINE);
        assert_no_problem(fixture);
    }
}

static void units_whose_abbreviations_are_broken_are_damaged(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < array_length(versions); i++) {
        if (!build(fixture, versions[i]))
            skip();
        overwrite(fixture, ".debug_abbrev", 0, 1 << 20, 0xff);
        assert_int_equal(status_of(fixture, "work"), SYMBOL_DAMAGED);
        assert_int_equal(status_of(fixture, "main"), SYMBOL_DAMAGED);
        assert_problem(fixture);
    }
}

/* Nothing says where the unit that is left out has code: it may be all that no other one has. */
static void a_broken_unit_leaves_the_others_alone(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < array_length(versions); i++) {
        if (!build(fixture, versions[i]))
            skip();
        /* The abbreviation's number of the first root. */
        overwrite(fixture, ".debug_info", i ? 12 : 11, 1, 0x7f);
        assert_int_equal(status_of(fixture, "work"), SYMBOL_DAMAGED);
        assert_int_equal(status_of(fixture, "main"), SYMBOL_LINE);
        assert_int_equal(status_of(fixture, "bare"), SYMBOL_DAMAGED);
        assert_problem(fixture);
    }
}

/* Its own lines are known, but what follows is not. */
static void a_unit_that_does_not_end_damages_the_others(void **state)
{
    struct fixture *fixture = *state;
    if (!build(fixture, "-gdwarf-5"))
        skip();
    overwrite(fixture, ".debug_info", 0, 4, 0x7f); /* the first one's length */
    assert_int_equal(status_of(fixture, "work"), SYMBOL_LINE);
    assert_int_equal(status_of(fixture, "main"), SYMBOL_DAMAGED);
    assert_problem(fixture);
}

static void a_broken_line_program_is_damaged(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < array_length(versions); i++) {
        if (!build(fixture, versions[i]))
            skip();
        overwrite(fixture, ".debug_line", 4, 2, 0x7f); /* the first one's version */
        assert_int_equal(status_of(fixture, "work"), SYMBOL_DAMAGED);
        assert_int_equal(status_of(fixture, "main"), SYMBOL_LINE);
        assert_problem(fixture);
    }
}

/* Lines are as good as ever; but that nothing was inlined is not known. */
static void broken_functions_of_a_unit_are_told(void **state)
{
    struct fixture *fixture = *state;
    if (!build(fixture, "-gdwarf-5"))
        skip();
    assert_int_equal(status_of(fixture, "work"), SYMBOL_LINE);
    assert_no_problem(fixture);
    overwrite(fixture, ".debug_info", 0x2a, 1, 0x7f); /* the first DIE below the root */
    fixture_open_built(fixture, "program");
    assert_int_equal(status_of(fixture, "work"), SYMBOL_LINE);
    assert_problem(fixture);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(code_without_lines_is_not_damaged),
        TEST(units_whose_abbreviations_are_broken_are_damaged),
        TEST(a_broken_unit_leaves_the_others_alone),
        TEST(a_unit_that_does_not_end_damages_the_others),
        TEST(a_broken_line_program_is_damaged),
        TEST(broken_functions_of_a_unit_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
