/* A stripped Go program against what Go's own tools say of the same program with its symbols. */
#include <sys/mman.h>

#include "../base/go_elf.h"
#include "module_fixture.h"

/* Built with the other targets; the same code but for symbols and DWARF. */
#define WITH_SYMBOLS "targets/gopher"
#define STRIPPED "targets/gopher-stripped"
#define PLACES_STEP 64
#define INLINED_STEP 256 /* DWARF takes its time under sanitizers */

static bool have_programs(void)
{
    if (access(WITH_SYMBOLS, R_OK) == 0 && access(STRIPPED, R_OK) == 0 && have_tool("go"))
        return true;
    print_message("skipped: needs golang-go, and targets built with it\n");
    return false;
}

/* "0x1234\nfunction\npath:line\n" for each address: the function that has the code, and its line.
 */
static char *describe(struct fixture *fixture, const struct addresses *addresses)
{
    struct text text = {0};
    for (size_t i = 0; i < addresses->count; i++) {
        struct frame_span span = fixture_resolve(fixture, addresses->items[i], false);
        assert_true(span.count > 0);
        struct symbol_file file = symbols_file(fixture->symbols, span.frames[0].file);
        text_printf(&text, "%#" PRIx64 "\n%s\n%s:%u\n", addresses->items[i],
                    fixture_function(fixture, &span, span.count - 1), file.path,
                    span.frames[0].line);
    }
    assert_false(text.failed);
    return text.bytes;
}

static char *describe_by_go(const struct fixture *fixture, const struct addresses *addresses)
{
    char path[256];
    snprintf(path, sizeof path, "%s/addresses", fixture->directory);
    _cleanup_file_ FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < addresses->count; i++)
        assert_true(fprintf(file, "%#" PRIx64 "\n", addresses->items[i]) > 0);
    assert_int_equal(fflush(file), 0);
    char *said = run("go tool addr2line %s < %s | paste - - | paste %s - | tr '\\t' '\\n'",
                     WITH_SYMBOLS, path, path);
    assert_non_null(said);
    return said;
}

static void every_function_and_line_is_the_one_that_go_says(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(addresses_free) struct addresses addresses = {0};
    if (!have_programs())
        skip();
    fixture_open(fixture, WITH_SYMBOLS);
    fixture_add_functions(fixture, "", PLACES_STEP, &addresses);
    assert_true(addresses.count > 5000);
    fixture_open(fixture, STRIPPED);
    _cleanup_free_ char *ours = describe(fixture, &addresses);
    _cleanup_free_ char *theirs = describe_by_go(fixture, &addresses);
    assert_same_text(ours, theirs);
}

/* DWARF is the second opinion; it names arrays as they are, where Go's table has "[...]". */
static void inlined_calls_are_those_of_the_program_with_dwarf(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(addresses_free) struct addresses addresses = {0};
    size_t inlined = 0, same = 0;
    if (!have_programs())
        skip();
    fixture_open(fixture, WITH_SYMBOLS);
    fixture_add_functions(fixture, "", INLINED_STEP, &addresses);
    _cleanup_free_ char *by_dwarf = fixture_describe(fixture, &addresses);
    fixture_open(fixture, STRIPPED);
    _cleanup_free_ char *by_table = fixture_describe(fixture, &addresses);
    char *left = by_dwarf, *right = by_table;
    for (size_t i = 0; i < addresses.count; i++) {
        char *left_end = strstr(left + 1, "\n0x"), *right_end = strstr(right + 1, "\n0x");
        size_t bytes = left_end ? (size_t)(left_end - left) : strlen(left);
        size_t right_bytes = right_end ? (size_t)(right_end - right) : strlen(right);
        size_t lines = 0;
        for (size_t k = 0; k < bytes; k++)
            lines += left[k] == '\n';
        inlined += lines > 4;
        same += bytes == right_bytes && memcmp(left, right, bytes) == 0;
        left += bytes;
        right += right_bytes;
    }
    print_message("%zu addresses, %zu with inlined calls, %zu the same\n", addresses.count, inlined,
                  same);
    assert_true(inlined > addresses.count / 20);
    /* What differs: arrays' names, and wrappers that the compiler made, which DWARF leaves out. */
    assert_true(same > addresses.count - addresses.count / 50);
}

static void assert_declared(const struct fixture *fixture, const struct frame *frame,
                            const char *name, const char *path, uint32_t line)
{
    struct symbol_function function = symbols_function(fixture->symbols, frame->function);
    assert_string_equal(function.name, name);
    assert_string_equal(symbols_file(fixture->symbols, function.file).path, path);
    assert_int_equal(function.line, line);
}

static void a_function_is_declared_in_one_place_whatever_was_inlined_into_it(void **state)
{
    struct fixture *fixture = *state;
    static struct go_elf elf;
    int fd = memfd_create("go", MFD_CLOEXEC);
    assert_true(fd >= 0);
    go_elf_build(&elf, GO_1_20, GO_PLAIN, false);
    assert_int_equal(pwrite(fd, elf.bytes, elf.length, 0), elf.length);
    fixture_be(fixture, MODULE_FILE, "go", fd);

    struct frame_span span = fixture_resolve(fixture, GO_INLINED, false);
    assert_int_equal(span.status, SYMBOL_LINE);
    assert_int_equal(span.count, 2);
    assert_declared(fixture, &span.frames[0], "main.inner", "/src/inner.go", 30);
    assert_declared(fixture, &span.frames[1], "main.outer", "/src/outer.go", 9);
    assert_int_equal(span.frames[0].line, GO_INNER_LINE);
    assert_int_equal(span.frames[1].line, GO_CALL_LINE);

    span = fixture_resolve(fixture, GO_END, false); /* made by another compiler */
    assert_int_equal(span.count, 1);
    assert_int_equal(span.status, SYMBOL_NO_DEBUG_INFO);
    assert_int_equal(span.frames[0].line, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_function_and_line_is_the_one_that_go_says,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(inlined_calls_are_those_of_the_program_with_dwarf,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(
            a_function_is_declared_in_one_place_whatever_was_inlined_into_it, fixture_setup,
            fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
