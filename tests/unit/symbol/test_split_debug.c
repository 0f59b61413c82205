/* Debug information in files of its own is found, checked, and otherwise not believed. */
#include "module_fixture.h"

#include "symbol/elf_reader.h"

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

/* A sparse file has terabytes for nothing. */
static void checksum_of_an_endless_file_is_not_computed(void **state)
{
    struct fixture *fixture = *state;
    uint64_t vaddr = 0;
    if (!build(fixture, "", &vaddr))
        skip();
    struct elf_reader *file = NULL;
    struct cancel cancel = {0};
    uint32_t crc;
    assert_int_equal(elf_reader_open(fixture->module.fd, &file), 0);
    assert_int_equal(elf_reader_crc(file, &cancel, &crc), 0);
    assert_int_equal(truncate(fixture->path, (off_t)elf_reader_bytes_max() + 1), 0);
    assert_int_equal(elf_reader_crc(file, &cancel, &crc), -EFBIG);
    elf_reader_free(file);
}

static void checksum_can_be_cancelled(void **state)
{
    struct fixture *fixture = *state;
    uint64_t vaddr = 0;
    if (!build(fixture, "", &vaddr))
        skip();
    struct elf_reader *file = NULL;
    struct cancel cancel = {0};
    uint32_t crc;
    cancel_want(&cancel);
    assert_int_equal(elf_reader_open(fixture->module.fd, &file), 0);
    assert_int_equal(elf_reader_crc(file, &cancel, &crc), -ECANCELED);
    elf_reader_free(file);
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
    static const char *const kinds[] = {"zlib", "zlib-gnu", "zstd"};
    for (size_t i = 0; i < array_length(kinds); i++) {
        uint64_t vaddr = 0;
        if (!build(fixture, "", &vaddr))
            skip();
        run_or_fail("cd %s && objcopy --compress-debug-sections=%s program.debug",
                    fixture->directory, kinds[i]);
        assert_line(fixture, vaddr);
    }
}

/* Where in a file its .debug_str is; that of -g3 is long enough to be compressed. */
static off_t compressed_strings(const struct fixture *fixture, const char *file)
{
    _cleanup_free_ char *offset = run("readelf -SW %s/%s 2>/dev/null | sed -n 's/.*z*debug_str  "
                                      "*PROGBITS  *[0-9a-f]* \\([0-9a-f]*\\) "
                                      ".*/\\1/p'",
                                      fixture->directory, file);
    assert_non_null(offset);
    assert_true(offset[0]);
    return (off_t)strtoull(offset, NULL, 16);
}

/* Sizes that are too large, too small, and an unknown kind; gABI: type, reserved, size. */
static void lying_compressed_sections_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const kinds[] = {"zlib", "zlib-gnu", "zstd"};
    static const unsigned char lies[][8] = {
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {0, 0, 0, 0x40, 0, 0, 0, 0},
        {0, 0, 0, 0, 0x40, 0, 0, 0},
        {1},
        {0},
        {0, 0, 0, 0, 0, 0, 0, 1},
    };
    for (size_t i = 0; i < array_length(kinds); i++) {
        uint64_t vaddr = 0;
        if (!build(fixture, "-g3", &vaddr))
            skip();
        run_or_fail("cd %s && objcopy --compress-debug-sections=%s program.debug && "
                    "cp program.debug sound",
                    fixture->directory, kinds[i]);
        off_t at = compressed_strings(fixture, "sound") + (i == 1 ? 4 : 8);
        for (size_t k = 0; k < array_length(lies); k++) {
            run_or_fail("cd %s && cp sound program.debug", fixture->directory);
            char path[256];
            snprintf(path, sizeof path, "%s/program.debug", fixture->directory);
            _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
            assert_int_equal(pwrite(fd, lies[k], 8, at), 8);
            fixture_open_built(fixture, "program");
            struct frame_span span = fixture_resolve(fixture, vaddr, false);
            assert_int_equal(span.status, SYMBOL_DAMAGED);
        }
    }
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

static void debug_information_in_another_format_is_said(void **state)
{
    struct fixture *fixture = *state;
    uint64_t vaddr = 0;
    if (!build(fixture, "", &vaddr))
        skip();
    run_or_fail("cd %s && rm program.debug", fixture->directory);
    assert_no_debug_information(fixture, vaddr);
    assert_null(symbols_problem(fixture->symbols, &fixture->module));

    fixture_write(fixture, "stab", "not read, whatever it is");
    run_or_fail("cd %s && objcopy --add-section .stab=stab program", fixture->directory);
    fixture_open_built(fixture, "program");
    assert_no_debug_information(fixture, vaddr);
    _cleanup_free_ char *problem = symbols_problem(fixture->symbols, &fixture->module);
    assert_non_null(problem);
    assert_non_null(strstr(problem, "stabs"));

    /* A program is linked of many compilers' code. */
    run_or_fail("cd %s && gcc -g -O1 -o program program.c && objcopy --add-section .stab=stab "
                "program",
                fixture->directory);
    fixture_open_built(fixture, "program");
    assert_line(fixture, fixture_symbol(fixture, "work"));
    assert_null(symbols_problem(fixture->symbols, &fixture->module));
}

static void assert_problem(const struct fixture *fixture, const char *state, const char *place)
{
    _cleanup_free_ char *problem = symbols_problem(fixture->symbols, &fixture->module);
    assert_non_null(problem);
    assert_non_null(strstr(problem, state));
    assert_non_null(strstr(problem, place));
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
    assert_problem(fixture, "missing", "(/nowhere/alternate)");
}

static const char inlining[] = "static inline int thrice(int x)\n"
                               "{\n"
                               "    return x / 3 * x;\n"
                               "}\n"
                               "int main(int argc, char **argv)\n"
                               "{\n"
                               "    return argv ? thrice(argc) : 0;\n"
                               "}\n";

/* Two programs of which dwz moves to a third file what both have: here, nothing but names. */
static bool build_shared(struct fixture *fixture)
{
    if (!have_tool("gcc") || !have_tool("dwz"))
        return false;
    fixture_write(fixture, "program.c", inlining);
    run_or_fail("cd %s && gcc -g -O2 -o program program.c && gcc -g -O3 -o twin program.c && "
                "dwz -m shared.debug -r program twin 2>&1",
                fixture->directory);
    return true;
}

/* The innermost function of the program's multiplications. */
static const char *inlined_name(struct fixture *fixture)
{
    fixture_open_built(fixture, "program");
    _cleanup_free_ char *product =
        run("objdump -d --no-show-raw-insn --disassemble=main %s | awk -F: '/imul/ {print $1}'",
            fixture->path);
    assert_non_null(product);
    struct frame_span span = fixture_resolve(fixture, strtoull(product, NULL, 16), false);
    assert_int_equal(span.status, SYMBOL_LINE);
    assert_int_equal(span.count, 2);
    return fixture_function(fixture, &span, 0);
}

static void assert_no_problem(const struct fixture *fixture)
{
    _cleanup_free_ char *problem = symbols_problem(fixture->symbols, &fixture->module);
    assert_null(problem);
}

static void alternate_file_that_is_not_the_right_one_is_said(void **state)
{
    struct fixture *fixture = *state;
    if (!build_shared(fixture))
        skip();
    assert_string_equal(inlined_name(fixture), "thrice");
    assert_no_problem(fixture);

    run_or_fail("cd %s && mv shared.debug away", fixture->directory);
    assert_string_equal(inlined_name(fixture), "[inlined]");
    assert_problem(fixture, "missing", "/shared.debug");

    run_or_fail("cd %s && cp /bin/true shared.debug", fixture->directory);
    assert_string_equal(inlined_name(fixture), "[inlined]");
    assert_problem(fixture, "of another build", "/shared.debug");

    run_or_fail("cd %s && mv away shared.debug", fixture->directory);
    assert_string_equal(inlined_name(fixture), "thrice");
    assert_no_problem(fixture);
}

/* As Fedora ships it (gdb manual, "MiniDebugInfo"): the symbols alone, in xz, inside the binary. */
static bool build_packed(struct fixture *fixture, const char *pack, uint64_t *ret_vaddr)
{
    if (!have_tool("xz") || !build(fixture, "", ret_vaddr))
        return false;
    run_or_fail("cd %s && objcopy -S --keep-symbol=work program.debug mini && xz -k mini && %s && "
                "objcopy --remove-section=.gnu_debuglink --add-section .gnu_debugdata=mini.xz "
                "program && rm program.debug",
                fixture->directory, pack);
    fixture_open_built(fixture, "program");
    return true;
}

static void packed_symbols_give_names(void **state)
{
    struct fixture *fixture = *state;
    uint64_t vaddr = 0;
    if (!build_packed(fixture, "true", &vaddr))
        skip();
    struct frame_span span = fixture_resolve(fixture, vaddr + 1, false);
    assert_int_equal(span.status, SYMBOL_NO_DEBUG_INFO);
    assert_string_equal(fixture_function(fixture, &span, 0), "work");
}

static void damaged_packed_symbols_are_left_out(void **state)
{
    struct fixture *fixture = *state;
    const char *const damages[] = {
        "truncate -s -20 mini.xz",
        "printf nonsense > mini.xz",
        "printf xxxxxxxx | dd of=mini.xz bs=1 seek=60 conv=notrunc 2>/dev/null",
        "printf 'not ELF' | xz > mini.xz",
        "head -c 100000000 /dev/zero | xz -0 > mini.xz",
    };
    for (size_t i = 0; i < array_length(damages); i++) {
        uint64_t vaddr = 0;
        run_or_fail("cd %s && rm -f mini mini.xz", fixture->directory);
        if (!build_packed(fixture, damages[i], &vaddr))
            skip();
        struct frame_span span = fixture_resolve(fixture, vaddr + 1, false);
        assert_int_equal(span.status, SYMBOL_NO_DEBUG_INFO);
        assert_int_equal(fixture_function(fixture, &span, 0)[0], '[');
    }
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(debuglink_beside_the_binary_is_found),
        test(debuglink_in_the_debug_directory_is_found),
        test(checksum_counts_where_there_is_no_build_id),
        test(checksum_of_an_endless_file_is_not_computed),
        test(checksum_can_be_cancelled),
        test(other_build_id_is_refused),
        test(compressed_sections_are_inflated),
        test(lying_compressed_sections_are_refused),
        test(missing_debug_file_is_said),
        test(debug_information_in_another_format_is_said),
        test(missing_alternate_file_costs_no_lines),
        test(alternate_file_that_is_not_the_right_one_is_said),
        test(packed_symbols_give_names),
        test(damaged_packed_symbols_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
