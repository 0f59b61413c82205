/* Go's tables of functions, in all formats, whole and broken. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "go_table.h"

#define MAIN_INNER (1 + sizeof "main.outer") /* its offset among names */

static const enum go_version versions[] = {GO_1_2, GO_1_16, GO_1_18, GO_1_20};

/* In memory of exactly its size, so that a read beyond it is noticed. */
static void *copy(const struct go_bytes *built)
{
    void *bytes = malloc(built->length);
    assert_non_null(bytes);
    memcpy(bytes, built->bytes, built->length);
    return bytes;
}

static void assert_place(const struct go_pclntab *table, uint64_t vaddr, const char *file,
                         uint32_t line)
{
    struct go_function function;
    const char *found_file;
    uint32_t found_line;
    assert_int_equal(go_pclntab_find(table, vaddr, &function), 0);
    assert_true(go_function_place(table, &function, vaddr, &found_file, &found_line));
    assert_string_equal(found_file, file);
    assert_int_equal(found_line, line);
}

static void functions_lines_and_frames_are_found_in_every_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_length(versions); i++) {
        struct go_bytes built;
        struct go_pclntab table;
        struct go_function function;
        go_build(&built, versions[i]);
        _cleanup_free_ void *bytes = copy(&built);
        assert_int_equal(go_pclntab_open(bytes, built.length, &table), 0);
        assert_int_equal(table.version, versions[i]);
        assert_int_equal(table.function_count, 2);

        assert_int_equal(go_pclntab_find(&table, GO_GOEXIT - 1, &function), 0);
        assert_string_equal(function.name, "main.outer");
        assert_int_equal(function.start, GO_OUTER);
        assert_int_equal(function.end, GO_GOEXIT);
        assert_int_equal(function.line, versions[i] == GO_1_20 ? 9 : 0);
        assert_int_equal(function.flags, 0);
        assert_int_equal(go_function_frame_bytes(&table, &function, GO_OUTER), 0);
        assert_int_equal(go_function_frame_bytes(&table, &function, GO_OUTER + 4), GO_OUTER_FRAME);
        assert_int_equal(go_function_frame_bytes(&table, &function, GO_GOEXIT - 1), 0);

        assert_place(&table, GO_OUTER, "/src/outer.go", 10);
        assert_place(&table, GO_OUTER + 0xf, "/src/outer.go", GO_CALL_LINE);
        assert_place(&table, GO_INLINED, "/src/inner.go", GO_INNER_LINE);
        assert_place(&table, GO_INLINED + 0x10, "/src/outer.go", 12);

        assert_int_equal(go_pclntab_find(&table, GO_GOEXIT, &function), 0);
        assert_string_equal(function.name, "runtime.goexit");
        assert_int_equal(function.flags, GO_FUNCTION_TOP);
        assert_int_equal(go_pclntab_find(&table, GO_TEXT - 1, &function), -ENOENT);
        assert_int_equal(go_pclntab_find(&table, GO_END, &function), -ENOENT);
    }
}

static void an_inlined_call_tells_its_function_and_place(void **state)
{
    (void)state;
    for (size_t i = 1; i < array_length(versions); i++) {
        struct go_bytes built, entry;
        struct go_pclntab table;
        struct go_function function;
        struct go_inlined inlined;
        uint64_t tree;
        go_build(&built, versions[i]);
        go_build_entry(&entry, versions[i], MAIN_INNER);
        assert_int_equal(go_pclntab_open(built.bytes, built.length, &table), 0);
        assert_int_equal(go_pclntab_find(&table, GO_INLINED, &function), 0);
        assert_int_equal(go_function_inlined(&table, &function, GO_INLINED - 1), -1);
        assert_int_equal(go_function_inlined(&table, &function, GO_INLINED), 0);
        assert_int_equal(go_function_inlined(&table, &function, GO_INLINED + 0x10), -1);
        assert_true(go_function_tree(&table, &function, &tree));
        assert_int_equal(tree, GO_TREE);
        assert_int_equal(go_inlined_bytes(&table), entry.length);
        assert_true(go_inlined_read(&table, &function, entry.bytes, &inlined));
        assert_string_equal(inlined.name, "main.inner");
        assert_int_equal(inlined.line, versions[i] == GO_1_20 ? 30 : 0);
        assert_int_equal(inlined.call_vaddr, GO_OUTER + 8);
        assert_place(&table, inlined.call_vaddr, "/src/outer.go", GO_CALL_LINE);

        go_build_entry(&entry, versions[i], MAIN_INNER + 1); /* not where a name begins */
        assert_false(go_inlined_read(&table, &function, entry.bytes, &inlined));
        go_build_entry(&entry, versions[i], UINT32_MAX);
        assert_false(go_inlined_read(&table, &function, entry.bytes, &inlined));
    }
}

/* Everything that can be asked. */
static void ask(const void *bytes, size_t length)
{
    struct go_pclntab table;
    if (go_pclntab_open(bytes, length, &table))
        return;
    for (uint64_t vaddr = GO_TEXT - 8; vaddr < GO_END + 8; vaddr += 4) {
        struct go_function function;
        const char *file;
        uint32_t line;
        uint64_t tree;
        if (go_pclntab_find(&table, vaddr, &function))
            continue;
        assert_true(function.start <= vaddr && vaddr < function.end);
        assert_non_null(function.name);
        if (go_function_place(&table, &function, vaddr, &file, &line))
            assert_true(strlen(file) < length && line > 0);
        assert_true(go_function_frame_bytes(&table, &function, vaddr) >= -1);
        (void)go_function_inlined(&table, &function, vaddr);
        (void)go_function_tree(&table, &function, &tree);
    }
}

static void a_table_that_is_cut_anywhere_is_read_within_its_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_length(versions); i++) {
        struct go_bytes built;
        go_build(&built, versions[i]);
        for (size_t length = 0; length < built.length; length++) {
            _cleanup_free_ void *bytes = malloc(length + 1);
            assert_non_null(bytes);
            memcpy(bytes, built.bytes, length);
            ask(bytes, length);
        }
    }
}

static void a_table_with_any_byte_changed_is_read_within_its_bytes(void **state)
{
    (void)state;
    static const unsigned char changes[] = {0x01, 0x80, 0xff};
    for (size_t i = 0; i < array_length(versions); i++) {
        struct go_bytes built;
        go_build(&built, versions[i]);
        _cleanup_free_ unsigned char *bytes = copy(&built);
        for (size_t at = 0; at < built.length; at++) {
            for (size_t k = 0; k < sizeof changes; k++) {
                bytes[at] ^= changes[k];
                ask(bytes, built.length);
                bytes[at] ^= changes[k];
            }
        }
    }
}

static void what_is_no_table_is_refused(void **state)
{
    (void)state;
    struct go_bytes built;
    struct go_pclntab table;
    go_build(&built, GO_1_20);
    built.bytes[7] = 4; /* of 32 bits */
    assert_int_equal(go_pclntab_open(built.bytes, built.length, &table), -EBADMSG);
    go_build(&built, GO_1_20);
    go_set(&built, 8, UINT64_MAX / 8 + 2, 8); /* functions */
    assert_int_equal(go_pclntab_open(built.bytes, built.length, &table), -EBADMSG);
    go_build(&built, GO_1_20);
    go_set(&built, 8, 0, 8);
    assert_int_equal(go_pclntab_open(built.bytes, built.length, &table), -EBADMSG);
    built.bytes[0] = 0xf2;
    assert_int_equal(go_pclntab_open(built.bytes, built.length, &table), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_lines_and_frames_are_found_in_every_format),
        cmocka_unit_test(an_inlined_call_tells_its_function_and_place),
        cmocka_unit_test(a_table_that_is_cut_anywhere_is_read_within_its_bytes),
        cmocka_unit_test(a_table_with_any_byte_changed_is_read_within_its_bytes),
        cmocka_unit_test(what_is_no_table_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
