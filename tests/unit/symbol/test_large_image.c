/* .debug_info of some MB, whose units are decoded while a thread still inflates the next ones. */
#include "module_fixture.h"

#define FILLER_BYTES 6000000

/* A unit that says nothing, at length (DWARF 4: one DIE with a block), so that the next is late. */
static const char filler[] = "    .section .debug_abbrev, \"\"\n"
                             "abbreviations: .byte 1, 0x11, 0, 0x1c, 0x04, 0, 0, 0\n"
                             "    .section .debug_info, \"\"\n"
                             "    .long end - start\n"
                             "start: .short 4\n"
                             "    .long abbreviations\n"
                             "    .byte 8, 1\n"
                             "    .long end - text\n"
                             "text: .incbin \"text\"\n"
                             "end:\n"
                             "    .section .note.GNU-stack, \"\"\n";

static const char program[] = "__attribute__((noinline)) int work(int x)\n"
                              "{\n"
                              "    return x * 7 + 3;\n" /* line 3 */
                              "}\n"
                              "int main(int argc, char **argv)\n"
                              "{\n"
                              "    return argv ? work(argc) : 0;\n"
                              "}\n";

/* Where .debug_info is in the file, and its length there. */
static void find_info(const struct fixture *fixture, off_t *ret_offset, off_t *ret_bytes)
{
    _cleanup_free_ char *output =
        run("readelf -SW %s | sed -n 's/.* \\.debug_info *PROGBITS *[0-9a-f]* //p'", fixture->path);
    assert_non_null(output);
    char *end;
    *ret_offset = strtol(output, &end, 16);
    *ret_bytes = strtol(end, NULL, 16);
}

/* Packed, too, .debug_info is more than 4 MB: text of 64 letters that nothing repeats. */
static bool build(struct fixture *fixture)
{
    if (!have_tool("gcc") || !have_tool("objcopy") || !have_tool("readelf"))
        return false;
    fixture_write(fixture, "filler.s", filler);
    fixture_write(fixture, "program.c", program);
    run_or_fail("cd %s && base64 -w 0 /dev/urandom | head -c %d >text && "
                "gcc -g -O1 -o program filler.s program.c 2>&1 && "
                "objcopy --compress-debug-sections=zlib program 2>&1",
                fixture->directory, FILLER_BYTES);
    fixture_open_built(fixture, "program");
    off_t offset, bytes;
    find_info(fixture, &offset, &bytes);
    assert_in_range(bytes, 4 << 20, FILLER_BYTES);
    return true;
}

static void assert_line(struct fixture *fixture)
{
    struct frame_span span = fixture_resolve(fixture, fixture_symbol(fixture, "work"), false);
    assert_int_equal(span.status, SYMBOL_LINE);
    assert_string_equal(fixture_function(fixture, &span, 0), "work");
    assert_in_range(span.frames[0].line, 1, 3);
}

static void inflated_units_have_lines(void **state)
{
    struct fixture *fixture = *state;
    if (!build(fixture))
        skip();
    assert_line(fixture);
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
    if (!build(fixture))
        skip();
    struct symbol_request request = {.vaddr = fixture_symbol(fixture, "work")};
    assert_int_equal(
        symbols_load_lines(fixture->symbols, &fixture->module, &request, 1, meanwhile, fixture), 0);
    assert_line(fixture);
}

static void assert_name_only(struct fixture *fixture, uint64_t vaddr, enum symbol_status status)
{
    struct frame_span span = fixture_resolve(fixture, vaddr, false);
    assert_int_equal(span.status, status);
    assert_string_equal(fixture_function(fixture, &span, 0), "work");
}

/* The units in front of the damage are as good as ever, but the checksum is of all. */
static void damaged_section_has_no_lines(void **state)
{
    struct fixture *fixture = *state;
    off_t offset, bytes;
    if (!build(fixture))
        skip();
    uint64_t vaddr = fixture_symbol(fixture, "work");
    find_info(fixture, &offset, &bytes);
    _cleanup_close_ int fd = open(fixture->path, O_RDWR | O_CLOEXEC);
    unsigned char byte;
    assert_int_equal(pread(fd, &byte, 1, offset + bytes - 500), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, offset + bytes - 500), 1);
    assert_name_only(fixture, vaddr, SYMBOL_DAMAGED);
}

static void section_cut_off_under_us_has_no_lines(void **state)
{
    struct fixture *fixture = *state;
    off_t offset, bytes;
    if (!build(fixture))
        skip();
    struct symbol_request request = {.vaddr = fixture_symbol(fixture, "work")};
    find_info(fixture, &offset, &bytes);
    assert_int_equal(symbols_resolve_names(fixture->symbols, &fixture->module, &request, 1), 0);
    assert_int_equal(truncate(fixture->path, offset + bytes - 500), 0);
    assert_name_only(fixture, request.vaddr, SYMBOL_UNREADABLE);
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
