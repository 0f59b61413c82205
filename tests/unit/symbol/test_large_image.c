/* .debug_info of some MB, whose units are decoded while a thread still inflates the next ones. */
#include "module_fixture.h"

/* A unit of 5 MB that holds nearly nothing, so that the other one comes late. */
#define TEN(next)                                                                                  \
    next "(n##0) " next "(n##1) " next "(n##2) " next "(n##3) " next "(n##4) " next "(n##5) " next \
         "(n##6) " next "(n##7) " next "(n##8) " next "(n##9)\n"
static const char filler[] =
    "#define A(n) struct s##n { int a, b, c, d, e, f, g, h; };\n"
    "#define B(n) " TEN("A") "#define C(n) " TEN("B") "#define D(n) " TEN("C") "#define E(n) " TEN(
        "D") "E(1) E(2) E(3) E(4) E(5) E(6)\n"
             "#line 100\n"
             "int filler(int x) { return x + 1; }\n";

static const char program[] = "int filler(int x);\n"
                              "__attribute__((noinline)) int work(int x)\n"
                              "{\n"
                              "    return x * 7 + 3;\n" /* line 4 */
                              "}\n"
                              "int main(int argc, char **argv)\n"
                              "{\n"
                              "    return argv ? work(argc) : filler(argc);\n"
                              "}\n";

static bool build(struct fixture *fixture, const char *compression)
{
    if (!have_tool("gcc") || !have_tool("objcopy") || !have_tool("readelf"))
        return false;
    fixture_write(fixture, "filler.c", filler);
    fixture_write(fixture, "program.c", program);
    run_or_fail("cd %s && gcc -g -O1 -fno-eliminate-unused-debug-types -o program filler.c "
                "program.c 2>&1 && objcopy --compress-debug-sections=%s program 2>&1",
                fixture->directory, compression);
    fixture_open_built(fixture, "program");
    return true;
}

static void assert_line(struct fixture *fixture, const char *name, unsigned first, unsigned last)
{
    struct frame_span span = fixture_resolve(fixture, fixture_symbol(fixture, name), false);
    assert_int_equal(span.status, SYMBOL_LINE);
    assert_string_equal(fixture_function(fixture, &span, 0), name);
    assert_in_range(span.frames[0].line, first, last);
}

static void assert_lines(struct fixture *fixture)
{
    assert_line(fixture, "work", 2, 4);
    assert_line(fixture, "filler", 100, 100);
}

static void inflated_units_have_lines(void **state)
{
    struct fixture *fixture = *state;
    if (!build(fixture, "zlib"))
        skip();
    assert_lines(fixture);
}

static void meanwhile(void *user)
{
    struct fixture *fixture = user;
    struct symbol_request request = {.location = 1, .vaddr = 1};
    assert_int_equal(symbols_resolve_names(fixture->symbols, &fixture->module, &request, 1), 0);
}

static void names_are_found_while_sections_are_read(void **state)
{
    struct fixture *fixture = *state;
    if (!build(fixture, "none"))
        skip();
    struct symbol_request request = {.vaddr = fixture_symbol(fixture, "work")};
    assert_int_equal(
        symbols_load_lines(fixture->symbols, &fixture->module, &request, 1, meanwhile, fixture), 0);
    assert_lines(fixture);
}

/* Where .debug_info is in the file, and its length there. */
static void find_info(const struct fixture *fixture, off_t *ret_offset, off_t *ret_bytes)
{
    _cleanup_free_ char *output =
        run("readelf -SW %s | sed -n 's/.* \\.debug_info *PROGBITS *[0-9a-f]* //p'", fixture->path);
    assert_non_null(output);
    char *end;
    *ret_offset = strtol(output, &end, 16);
    *ret_bytes = strtol(end, NULL, 16);
    assert_true(*ret_offset > 0 && *ret_bytes > 1000);
}

static void assert_name_only(struct fixture *fixture, uint64_t vaddr)
{
    struct frame_span span = fixture_resolve(fixture, vaddr, false);
    assert_int_equal(span.status, SYMBOL_UNREADABLE);
    assert_string_equal(fixture_function(fixture, &span, 0), "work");
}

/* The units in front of the damage are as good as ever, but the checksum is of all. */
static void damaged_section_has_no_lines(void **state)
{
    struct fixture *fixture = *state;
    off_t offset, bytes;
    if (!build(fixture, "zlib"))
        skip();
    uint64_t vaddr = fixture_symbol(fixture, "work");
    find_info(fixture, &offset, &bytes);
    _cleanup_close_ int fd = open(fixture->path, O_RDWR | O_CLOEXEC);
    unsigned char byte;
    assert_int_equal(pread(fd, &byte, 1, offset + bytes - 500), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, offset + bytes - 500), 1);
    assert_name_only(fixture, vaddr);
}

static void section_cut_off_under_us_has_no_lines(void **state)
{
    struct fixture *fixture = *state;
    off_t offset, bytes;
    if (!build(fixture, "zlib"))
        skip();
    struct symbol_request request = {.vaddr = fixture_symbol(fixture, "work")};
    find_info(fixture, &offset, &bytes);
    assert_int_equal(symbols_resolve_names(fixture->symbols, &fixture->module, &request, 1), 0);
    assert_int_equal(truncate(fixture->path, offset + bytes - 500), 0);
    assert_name_only(fixture, request.vaddr);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(inflated_units_have_lines),
        TEST(names_are_found_while_sections_are_read),
        TEST(damaged_section_has_no_lines),
        TEST(section_cut_off_under_us_has_no_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
