/* Functions, lines and inline chains of whole programs agree with eu-addr2line -i. */
#include "module_fixture.h"

static const char program[] = "#include <stdio.h>\n"
                              "#include <string.h>\n"
                              "static inline __attribute__((always_inline)) int leaf(int x)\n"
                              "{\n"
                              "    if (x & 1)\n"
                              "        return x * 3 + 1;\n"
                              "    return x / 2;\n"
                              "}\n"
                              "static inline __attribute__((always_inline)) int middle(int x)\n"
                              "{\n"
                              "    int sum = 0;\n"
                              "    for (int i = 0; i < x; i++)\n"
                              "        sum += leaf(i) ^ sum;\n"
                              "    return sum;\n"
                              "}\n"
                              "__attribute__((noinline)) int outer(int x)\n"
                              "{\n"
                              "    char text[64];\n"
                              "    int result = middle(x) + middle(x + 1);\n"
                              "    snprintf(text, sizeof text, \"%d\", result);\n"
                              "    return result + (int)strlen(text);\n"
                              "}\n"
                              "__attribute__((noinline)) int recurse(int n)\n"
                              "{\n"
                              "    return n < 2 ? n : recurse(n - 1) + recurse(n - 2) + leaf(n);\n"
                              "}\n"
                              "int main(int argc, char **argv)\n"
                              "{\n"
                              "    int total = 0;\n"
                              "    for (int i = 0; i < argc * 100; i++)\n"
                              "        total += outer(i) + recurse(i % 10);\n"
                              "    return printf(\"%s %d\\n\", argv[0], total) & 1;\n"
                              "}\n";

static const char cxx_program[] =
    "#include <cstdlib>\n"
    "namespace shapes {\n"
    "template <typename T> struct square {\n"
    "    T side;\n"
    "    T area() const { return side * side; }\n"
    "    __attribute__((noinline)) T grow(T by) { side += by; return area(); }\n"
    "};\n"
    "}\n"
    "__attribute__((noinline)) double sum(int n)\n"
    "{\n"
    "    shapes::square<double> square{1.5};\n"
    "    double total = 0;\n"
    "    for (int i = 0; i < n; i++)\n"
    "        total += square.grow(i) + square.area();\n"
    "    return total;\n"
    "}\n"
    "int main(int argc, char **) { return sum(argc * std::rand()) > 3; }\n";

static void compare(struct fixture *fixture, const char *command, const char *source)
{
    /* -gdwarf-aranges because eu-addr2line, unlike us, finds no unit without; gcc has it always. */
    run_or_fail("cd %s && %s -o program %s/%s 2>&1", fixture->directory, command,
                fixture->directory, source);
    fixture_open_built(fixture, "program");
    _cleanup_(addresses_free) struct addresses addresses = {0};
    fixture_add_functions(fixture, "", 1, &addresses);
    assert_agrees_with_elfutils(fixture, &addresses);
}

static void compare_levels(struct fixture *fixture, const char *compiler, const char *source)
{
    if (!have_tool("eu-addr2line"))
        skip();
    for (int version = 4; version <= 5; version++) {
        for (int level = 0; level <= 2; level += 2) {
            char command[128];
            snprintf(command, sizeof command, "%s -gdwarf-%d -O%d", compiler, version, level);
            compare(fixture, command, source);
        }
    }
}

static void gcc_programs_agree(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("gcc"))
        skip();
    fixture_write(fixture, "program.c", program);
    compare_levels(fixture, "gcc", "program.c");
}

/*
 * 400 functions whose DIEs have no children, and one with a call inlined behind them: that each is
 * read for itself, and not with all that follow it, shows in that the last one is still read.
 */
static void functions_without_children_agree(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_text_ struct text source = {0};
    if (!have_tool("gcc") || !have_tool("eu-addr2line"))
        skip();
    text_printf(&source, "volatile int sink;\n");
    for (int i = 0; i < 400; i++)
        text_printf(&source, "void f%d(void) { sink += %d; }\n", i, i);
    text_printf(&source, "static inline __attribute__((always_inline)) void inner(void)\n"
                         "{ sink *= 3; }\n"
                         "void last(int n) { for (int i = 0; i < n; i++) inner(); }\n"
                         "int main(int argc, char **argv) { f0(); last(argc); return !argv; }\n");
    assert_false(source.failed);
    fixture_write(fixture, "program.c", source.bytes);
    compare(fixture, "gcc -g -O1", "program.c");
    struct frame_span span = fixture_resolve(fixture, fixture_symbol(fixture, "last"), false);
    assert_string_equal(fixture_function(fixture, &span, span.count - 1), "last");
    assert_true(span.frames[span.count - 1].file != 0);
}

static void clang_programs_agree(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("clang"))
        skip();
    fixture_write(fixture, "program.c", program);
    compare_levels(fixture, "clang -gdwarf-aranges", "program.c");
}

static void cxx_programs_agree(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("g++"))
        skip();
    fixture_write(fixture, "program.cc", cxx_program);
    compare_levels(fixture, "g++", "program.cc");
}

static void clang_programs_without_aranges_have_lines(void **state)
{
    struct fixture *fixture = *state;
    if (!have_tool("clang"))
        skip();
    fixture_write(fixture, "program.c", program);
    run_or_fail("cd %s && clang -g -O2 -o program program.c", fixture->directory);
    fixture_open_built(fixture, "program");
    struct frame_span span = fixture_resolve(fixture, fixture_symbol(fixture, "recurse"), false);
    assert_int_equal(span.status, SYMBOL_LINE);
    assert_string_equal(fixture_function(fixture, &span, 0), "recurse");
    assert_int_equal(span.frames[0].line, 24);
}

/*
 * Keeps addresses, function names and the innermost place of each address. The places of outer
 * frames go: of a function that is inlined twice eu-addr2line 0.188 names the wrong call (it looks
 * for the function, not for the call, in the caller), and llvm-symbolizer reads no alternate file.
 * Also Debian builds lua in ".", and elfutils leaves "././lapi.c" as it is.
 */
static char *without_outer_places(char *text)
{
    struct text kept = {0};
    size_t line_of_block = 0;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) && *line; line_of_block++) {
        if (strncmp(line, "0x", 2) == 0)
            line_of_block = 0;
        if (line_of_block > 2 && line_of_block % 2 == 0)
            continue;
        while (strncmp(line, "./", 2) == 0)
            line += 2;
        text_printf(&kept, "%s\n", line);
    }
    free(text);
    assert_non_null(kept.bytes);
    return kept.bytes;
}

/* A dwz-compressed library of Debian: names of inlined functions are in the alternate file. */
static void dwz_library_agrees(void **state)
{
    struct fixture *fixture = *state;
    const char *path = "/usr/lib/x86_64-linux-gnu/liblua5.4.so.0";
    if (access(path, R_OK) || access("/usr/lib/debug/.dwz/x86_64-linux-gnu", R_OK) ||
        !have_tool("eu-addr2line")) {
        print_message("skipped: needs liblua5.4-0, liblua5.4-0-dbg and elfutils\n");
        skip();
    }
    fixture_open(fixture, path);
    _cleanup_(addresses_free) struct addresses addresses = {0};
    fixture_add_functions(fixture, "-D", 7, &addresses);
    _cleanup_free_ char *ours = without_outer_places(fixture_describe(fixture, &addresses));
    _cleanup_free_ char *theirs =
        without_outer_places(fixture_describe_by_elfutils(fixture, &addresses));
    assert_same_text(ours, theirs);
    assert_non_null(strstr(ours, "memcpy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gcc_programs_agree, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(functions_without_children_agree, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(clang_programs_agree, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(cxx_programs_agree, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(clang_programs_without_aranges_have_lines, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(dwz_library_agrees, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
