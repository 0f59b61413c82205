/* Inline chains and names in .dwo files and .dwp packages are those of the same program unsplit. */
#include <sys/stat.h>

#include "module_fixture.h"

static const char program[] =
    "#include <cstdlib>\n"
    "namespace shapes {\n"
    "template <typename T> struct square {\n"
    "    T side;\n"
    "    T area() const { return side * side; }\n"
    "    __attribute__((noinline)) T grow(T by) { side += by; return area(); }\n"
    "};\n"
    "}\n"
    "static inline __attribute__((always_inline)) int leaf(int x)\n"
    "{\n"
    "    return x & 1 ? x * 3 + 1 : x / 2;\n"
    "}\n"
    "__attribute__((noinline)) int chain(int n)\n"
    "{\n"
    "    int sum = 0;\n"
    "    for (int i = 0; i < n; i++)\n"
    "        sum += leaf(i) ^ sum;\n"
    "    if (sum == 12345)\n"
    "        std::abort();\n"
    "    return sum;\n"
    "}\n"
    "int other(int x);\n"
    "int main(int argc, char **)\n"
    "{\n"
    "    int numbers[4] = {};\n"
    "    for (int i = 0; i < argc * 100; i++)\n"
    "        numbers[i % 4] += chain(i) + other(i);\n"
    "    shapes::square<double> square{1.5};\n"
    "    return square.grow(numbers[3]) > 3;\n"
    "}\n";

static const char other[] = "static inline int twice(int x) { return x + x; }\n"
                            "int other(int x)\n"
                            "{\n"
                            "    return twice(x) ^ twice(x + 3) % 7;\n"
                            "}\n";

/* Compiles and links both sources in `folder` below the fixture's directory. */
static void build(struct fixture *fixture, const char *folder, const char *compiler,
                  const char *options)
{
    run_or_fail("mkdir -p %s/%s", fixture->directory, folder);
    char name[64];
    snprintf(name, sizeof name, "%s/program.cc", folder);
    fixture_write(fixture, name, program);
    snprintf(name, sizeof name, "%s/other.cc", folder);
    fixture_write(fixture, name, other);
    run_or_fail("cd %s/%s && %s -O2 %s -fdebug-prefix-map=%s/%s=/source -c program.cc other.cc && "
                "%s -o program program.o other.o 2>&1",
                fixture->directory, folder, compiler, options, fixture->directory, folder,
                compiler);
}

static char *describe_built(struct fixture *fixture, const char *name)
{
    _cleanup_(addresses_free) struct addresses addresses = {0};
    fixture_open_built(fixture, name);
    fixture_add_functions(fixture, "", 1, &addresses);
    return fixture_describe(fixture, &addresses);
}

/* The unsplit program's answers are eu-addr2line's (test_against_elfutils). */
static void assert_same(struct fixture *fixture, const char *split, const char *whole)
{
    _cleanup_free_ char *theirs = describe_built(fixture, whole);
    _cleanup_free_ char *ours = describe_built(fixture, split);
    assert_null(symbols_problem(fixture->symbols, &fixture->module));
    assert_non_null(strstr(theirs, "\nleaf"));
    assert_non_null(strstr(theirs, "\nshapes::square<double>::area() const\n"));
    assert_same_text(ours, theirs);
}

static void compare(struct fixture *fixture, const char *compiler, int version, const char *more)
{
    char options[128];
    snprintf(options, sizeof options, "-gdwarf-%d %s", version, more);
    build(fixture, "whole", compiler, options);
    snprintf(options, sizeof options, "-gdwarf-%d -gsplit-dwarf %s", version, more);
    build(fixture, "split", compiler, options);
    assert_same(fixture, "split/program", "whole/program");
}

static void gcc_units_agree(void **state)
{
    if (!have_tool("g++"))
        skip();
    for (int version = 4; version <= 5; version++)
        compare(*state, "g++", version, "");
}

static void clang_units_agree(void **state)
{
    if (!have_tool("clang++"))
        skip();
    for (int version = 4; version <= 5; version++)
        compare(*state, "clang++", version, "");
}

static void type_units_and_compressed_units_agree(void **state)
{
    if (!have_tool("g++"))
        skip();
    for (int version = 4; version <= 5; version++) {
        compare(*state, "g++", version, "-fdebug-types-section");
        compare(*state, "g++", version, "-gz=zlib");
    }
}

/* Packs the units of split/ and takes them away. */
static void pack(struct fixture *fixture, const char *tool)
{
    run_or_fail("cd %s/split && timeout 20 %s </dev/null 2>&1 && rm -f *.dwo", fixture->directory,
                tool);
}

/* dwp of binutils 2.40 can only DWARF 4: of DWARF 5 it makes an index without ids. */
static void packages_agree(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("g++") || !have_tool("dwp"))
        skip();
    compare(fixture, "g++", 4, "");
    pack(fixture, "dwp -o program.dwp program.dwo other.dwo");
    assert_same(fixture, "split/program", "whole/program");
    run_or_fail("cd %s/split && objcopy --compress-debug-sections program.dwp", fixture->directory);
    assert_same(fixture, "split/program", "whole/program");
}

/* The package of DWARF 4 stays beside the newer units of DWARF 5, and must not hide them. */
static void packages_of_llvm_agree(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("clang++") || !have_tool("llvm-dwp"))
        skip();
    for (int version = 4; version <= 5; version++) {
        compare(fixture, "clang++", version, "");
        pack(fixture, "llvm-dwp program.dwo other.dwo -o program.dwp");
        assert_same(fixture, "split/program", "whole/program");
    }
}

/* The program and its units were moved since they were compiled. */
static void units_beside_the_program_are_found(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("g++"))
        skip();
    compare(fixture, "g++", 5, "");
    run_or_fail("mv %s/split %s/moved", fixture->directory, fixture->directory);
    assert_same(fixture, "moved/program", "whole/program");
}

/* Lines stay, what was inlined goes, and `word` is in what is said. */
static void assert_lines_only(struct fixture *fixture, const char *word)
{
    fixture_open_built(fixture, "split/program");
    struct frame_span span = fixture_resolve(fixture, fixture_symbol(fixture, "_Z5chaini"), false);
    assert_int_equal(span.status, SYMBOL_LINE);
    assert_int_equal(span.count, 1);
    assert_string_equal(fixture_function(fixture, &span, 0), "chain(int)");
    _cleanup_free_ char *problem = symbols_problem(fixture->symbols, &fixture->module);
    assert_non_null(problem);
    assert_non_null(strstr(problem, word));
    assert_non_null(strstr(problem, "program.dwo"));
}

static void missing_and_stale_units_are_said(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("g++"))
        skip();
    for (int version = 4; version <= 5; version++) {
        compare(fixture, "g++", version, "");
        run_or_fail("cd %s/split && mv program.dwo kept", fixture->directory);
        assert_lines_only(fixture, "missing");
        run_or_fail("cd %s/split && cp other.dwo program.dwo", fixture->directory);
        assert_lines_only(fixture, "another build");
        run_or_fail("cd %s/split && head -c 3000 kept > program.dwo", fixture->directory);
        assert_lines_only(fixture, "split debug files");
        run_or_fail("cd %s/split && printf nonsense > program.dwp && cp kept program.dwo",
                    fixture->directory);
        assert_same(fixture, "split/program", "whole/program");
        run_or_fail("rm %s/split/program.dwp", fixture->directory);
    }
}

/* What is not a regular file is not opened: a FIFO would block, a device may do anything. */
static void units_that_are_no_files_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const replacements[] = {
        "mkfifo program.dwo", "ln -s /dev/zero program.dwo",   "ln -s /proc/self/fd/0 program.dwo",
        "mkdir program.dwo",  "ln -s program.dwo program.dwo", "truncate -s 1T program.dwo",
    };
    if (!have_tool("g++"))
        skip();
    compare(fixture, "g++", 5, "");
    for (size_t i = 0; i < array_length(replacements); i++) {
        run_or_fail("cd %s/split && rm -rf program.dwo && %s", fixture->directory, replacements[i]);
        assert_lines_only(fixture, "split debug files");
    }
}

/* Each byte of the file may be wrong. */
static void damaged_units_are_survived(void **state)
{
    struct fixture *fixture = *state;
    static const char *const tools[] = {NULL, "dwp -o program.dwp program.dwo other.dwo"};
    if (!have_tool("g++") || !have_tool("dwp"))
        skip();
    for (size_t i = 0; i < array_length(tools); i++) {
        compare(fixture, "g++", 4 + (i == 0), "");
        if (tools[i])
            pack(fixture, tools[i]);
        char path[256];
        snprintf(path, sizeof path, "%s/split/program.%s", fixture->directory,
                 tools[i] ? "dwp" : "dwo");
        _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
        struct stat status;
        assert_true(fd >= 0 && fstat(fd, &status) == 0);
        _cleanup_(addresses_free) struct addresses addresses = {0};
        fixture_open_built(fixture, "split/program");
        fixture_add_functions(fixture, "", 16, &addresses);
        unsigned random = 12345;
        for (int round = 0; round < 100; round++) {
            unsigned char bytes[8][2];
            off_t places[8];
            for (int k = 0; k < 8; k++) {
                random = random * 1103515245 + 12345;
                places[k] = (off_t)((random >> 4) % (unsigned)status.st_size);
                assert_int_equal(pread(fd, &bytes[k][0], 1, places[k]), 1);
                bytes[k][1] = (unsigned char)(random >> 20);
                assert_int_equal(pwrite(fd, &bytes[k][1], 1, places[k]), 1);
            }
            fixture_open_built(fixture, "split/program");
            _cleanup_free_ char *text = fixture_describe(fixture, &addresses);
            assert_non_null(text);
            for (int k = 8; k-- > 0;)
                assert_int_equal(pwrite(fd, &bytes[k][0], 1, places[k]), 1);
        }
    }
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(gcc_units_agree),
        test(clang_units_agree),
        test(type_units_and_compressed_units_agree),
        test(packages_agree),
        test(packages_of_llvm_agree),
        test(units_beside_the_program_are_found),
        test(missing_and_stale_units_are_said),
        test(units_that_are_no_files_are_refused),
        test(damaged_units_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
