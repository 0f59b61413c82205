/* A jitdump is read as it grows, only as far as it can be believed, and as of the time asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "symbol/jitdump.h"

#if defined(__aarch64__)
#define MACHINE 183
#else
#define MACHINE 62
#endif

struct dump_fixture {
    int fd;
    struct jitdump dump;
};

static int setup(void **state)
{
    struct dump_fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->fd = memfd_create("jit-1.dump", MFD_CLOEXEC);
    assert_true(fixture->fd >= 0);
    jitdump_init(&fixture->dump, fixture->fd);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct dump_fixture *fixture = *state;
    jitdump_free(&fixture->dump);
    close(fixture->fd);
    free(fixture);
    return 0;
}

/* --- bytes of the specification --------------------------------------------------------------- */

static void add_u32(struct text *text, uint32_t value)
{
    text_add(text, (const char *)&value, sizeof value);
}

static void add_u64(struct text *text, uint64_t value)
{
    text_add(text, (const char *)&value, sizeof value);
}

static void add_name(struct text *text, const char *name)
{
    text_add(text, name, strlen(name) + 1);
}

static struct text header(uint32_t magic, uint32_t machine, uint64_t flags)
{
    struct text text = {0};
    add_u32(&text, magic);
    add_u32(&text, 1);
    add_u32(&text, 40);
    add_u32(&text, machine);
    add_u32(&text, 0);
    add_u32(&text, 1);
    add_u64(&text, 0);
    add_u64(&text, flags);
    return text;
}

static void add_record(struct text *text, uint32_t id, uint64_t time, struct text *body)
{
    add_u32(text, id);
    add_u32(text, (uint32_t)(16 + body->length));
    add_u64(text, time);
    if (body->length)
        text_add(text, body->bytes, body->length);
    text_free(body);
}

static void add_load(struct text *text, uint64_t time, uint64_t start, uint64_t bytes,
                     const char *name)
{
    struct text body = {0};
    char code[256] = {0};
    add_u64(&body, 0); /* pid, tid */
    add_u64(&body, start);
    add_u64(&body, start);
    add_u64(&body, bytes);
    add_u64(&body, start ^ time); /* index */
    add_name(&body, name);
    text_add(&body, code, bytes < sizeof code ? bytes : sizeof code);
    add_record(text, 0, time, &body);
}

static void add_move(struct text *text, uint64_t time, uint64_t loaded, uint64_t from, uint64_t to,
                     uint64_t bytes)
{
    struct text body = {0};
    add_u64(&body, 0);
    add_u64(&body, to);
    add_u64(&body, from);
    add_u64(&body, to);
    add_u64(&body, bytes);
    add_u64(&body, from ^ loaded);
    add_record(text, 1, time, &body);
}

struct entry {
    uint64_t address;
    uint32_t line, column;
    const char *file;
    size_t file_bytes; /* with its NUL; 0: it is a string */
};

static void add_lines(struct text *text, uint64_t start, const struct entry *entries, size_t count)
{
    struct text body = {0};
    add_u64(&body, start);
    add_u64(&body, count);
    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = &entries[i];
        add_u64(&body, entry->address);
        add_u32(&body, entry->line);
        add_u32(&body, entry->column);
        text_add(&body, entry->file,
                 entry->file_bytes ? entry->file_bytes : strlen(entry->file) + 1);
    }
    add_record(text, 2, 0, &body);
}

/* Appends, and tells whether a refresh sees a change. */
static bool after_writing(struct dump_fixture *fixture, struct text *text)
{
    assert_false(text->failed);
    assert_int_equal(write(fixture->fd, text->bytes, text->length), text->length);
    text_free(text);
    bool changed;
    assert_int_equal(jitdump_refresh(&fixture->dump, &changed), 0);
    return changed;
}

static const char *name_at(struct dump_fixture *fixture, uint64_t ip, uint64_t time_ns)
{
    struct jit_place place;
    return jitdump_find(&fixture->dump, ip, time_ns, &place) ? place.name : "";
}

static void assert_line(struct dump_fixture *fixture, uint64_t ip, const char *file, uint32_t line,
                        uint32_t column)
{
    struct jit_place place;
    assert_true(jitdump_find(&fixture->dump, ip, 1000, &place));
    assert_string_equal(place.file ? place.file : "", file);
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
}

#define MAGIC UINT32_C(0x4a695444)

/* --- tests ------------------------------------------------------------------------------------ */

static void names_cover_their_bytes(void **state)
{
    struct dump_fixture *fixture = *state;
    struct text text = header(MAGIC, MACHINE, 0);
    add_load(&text, 10, 0x1000, 0x10, "first");
    add_load(&text, 11, 0x2000, 0x10, "second");
    assert_true(after_writing(fixture, &text));
    assert_string_equal(name_at(fixture, 0xfff, 100), "");
    assert_string_equal(name_at(fixture, 0x1000, 100), "first");
    assert_string_equal(name_at(fixture, 0x100f, 100), "first");
    assert_string_equal(name_at(fixture, 0x1010, 100), "");
    assert_string_equal(name_at(fixture, 0x2000, 100), "second");
    assert_int_equal(fixture->dump.problems, 0);
}

static void code_that_was_replaced_is_known_as_of_its_time(void **state)
{
    struct dump_fixture *fixture = *state;
    struct text text = header(MAGIC, MACHINE, 0);
    add_load(&text, 10, 0x1000, 0x40, "old");
    add_load(&text, 20, 0x1008, 0x8, "young");
    add_load(&text, 30, 0x1000, 0x40, "new");
    assert_true(after_writing(fixture, &text));
    assert_string_equal(name_at(fixture, 0x1008, 15), "old");
    assert_string_equal(name_at(fixture, 0x1008, 20), "young");
    assert_string_equal(name_at(fixture, 0x1010, 29), "old");
    assert_string_equal(name_at(fixture, 0x1008, 30), "new");
    /* Nothing was there yet: the first that came is the best there is. */
    assert_string_equal(name_at(fixture, 0x1010, 5), "old");
}

static void moved_code_keeps_its_name_and_lines(void **state)
{
    struct dump_fixture *fixture = *state;
    const struct entry lines[] = {{0x1000, 7, 3, "/a.js", 0}, {0x1008, 8, 1, "\xff", 0}};
    struct text text = header(MAGIC, MACHINE, 0);
    add_lines(&text, 0x1000, lines, 2);
    add_load(&text, 10, 0x1000, 0x10, "moves");
    add_move(&text, 20, 10, 0x1000, 0x5000, 0x10);
    assert_true(after_writing(fixture, &text));
    assert_string_equal(name_at(fixture, 0x5000, 30), "moves");
    assert_line(fixture, 0x1004, "/a.js", 7, 3);
    assert_line(fixture, 0x5009, "/a.js", 8, 1);
    assert_int_equal(fixture->dump.problems, 0);
}

/* As V8 and LLVM do (see jit_lines.c); what perf's instructions say about such code agrees. */
static void lines_may_be_shifted_by_an_elf_header(void **state)
{
    struct dump_fixture *fixture = *state;
    const struct entry lines[] = {{0x1040, 2, 0, "/t.c", 0}, {0x1050, 5, 0, "/t.c", 0}};
    struct text text = header(MAGIC, MACHINE, 0);
    add_lines(&text, 0x1000, lines, 2);
    add_load(&text, 10, 0x1000, 0x20, "spin");
    assert_true(after_writing(fixture, &text));
    assert_line(fixture, 0x1000, "/t.c", 2, 0);
    assert_line(fixture, 0x100f, "/t.c", 2, 0);
    assert_line(fixture, 0x1010, "/t.c", 5, 0);
}

/* Node.js 20 writes freed memory where the name of the script should be. */
static void names_that_are_no_text_cost_no_lines(void **state)
{
    struct dump_fixture *fixture = *state;
    const struct entry lines[] = {{0x1000, 1, 19, "\x0f\x1b\0\0\x0c\xc8", 7},
                                  {0x1008, 3, 21, "\x0f\x1b\0\0\x0c\xc8", 7},
                                  {0x100c, 5, 12, "\x0f\x1b\0\0\x0c\xc8", 7}};
    struct text text = header(MAGIC, MACHINE, 0);
    add_lines(&text, 0x1000, lines, 3);
    add_load(&text, 10, 0x1000, 0x10, "JS:*hot /a.js:1:19");
    assert_true(after_writing(fixture, &text));
    assert_line(fixture, 0x1000, "", 1, 19);
    assert_line(fixture, 0x1009, "", 3, 21);
    assert_line(fixture, 0x100f, "", 5, 12);
}

static void a_record_counts_once_it_is_whole(void **state)
{
    struct dump_fixture *fixture = *state;
    struct text text = header(MAGIC, MACHINE, 0);
    add_load(&text, 10, 0x1000, 0x10, "first");
    for (size_t i = 0; i < text.length; i++) {
        struct text piece = {0};
        text_add(&piece, text.bytes + i, 1);
        assert_int_equal(after_writing(fixture, &piece), i + 1 == text.length);
    }
    text_free(&text);
    assert_string_equal(name_at(fixture, 0x1000, 100), "first");
    assert_int_equal(fixture->dump.problems, 0);
}

static void times_of_the_processors_counter_are_compared_as_such(void **state)
{
    struct dump_fixture *fixture = *state;
    uint64_t early_ns = clock_monotonic_ns(), early = fixture->dump.counter;
    usleep(80000);
    struct text text = header(MAGIC, MACHINE, 1);
    add_load(&text, early - 1, 0x1000, 0x10, "old");
    add_load(&text, early + (UINT64_C(1) << 50), 0x1000, 0x10, "of the far future");
    assert_true(after_writing(fixture, &text));
    assert_string_equal(name_at(fixture, 0x1000, early_ns), "old");
    assert_string_equal(name_at(fixture, 0x1000, clock_monotonic_ns()), "old");
    uint64_t year_ns = UINT64_C(365) * 86400 * NS_PER_SECOND;
    assert_string_equal(name_at(fixture, 0x1000, early_ns + year_ns), "of the far future");
}

static void what_follows_the_end_is_not_read(void **state)
{
    struct dump_fixture *fixture = *state;
    struct text text = header(MAGIC, MACHINE, 0), none = {0};
    add_load(&text, 10, 0x1000, 0x10, "first");
    add_record(&text, 3, 11, &none);
    add_load(&text, 12, 0x2000, 0x10, "second");
    assert_true(after_writing(fixture, &text));
    assert_string_equal(name_at(fixture, 0x2000, 100), "");
    assert_int_equal(fixture->dump.problems, 0);
}

static void records_of_unknown_kinds_are_skipped(void **state)
{
    struct dump_fixture *fixture = *state;
    struct text text = header(MAGIC, MACHINE, 0), unwinding = {0}, other = {0};
    text_add(&unwinding, "12345678901234567890", 20);
    text_add(&other, "?", 1);
    add_record(&text, 4, 10, &unwinding);
    add_record(&text, 77, 10, &other);
    add_load(&text, 10, 0x1000, 0x10, "first");
    assert_true(after_writing(fixture, &text));
    assert_string_equal(name_at(fixture, 0x1000, 100), "first");
}

static void another_machines_dump_is_refused(void **state)
{
    struct dump_fixture *fixture = *state;
    struct text text = header(MAGIC, 3, 0);
    add_load(&text, 10, 0x1000, 0x10, "first");
    assert_false(after_writing(fixture, &text));
    assert_int_equal(fixture->dump.problems, JITDUMP_FOREIGN);
}

static void the_other_byte_order_is_refused(void **state)
{
    struct dump_fixture *fixture = *state;
    struct text text = header(__builtin_bswap32(MAGIC), MACHINE, 0);
    assert_false(after_writing(fixture, &text));
    assert_int_equal(fixture->dump.problems, JITDUMP_FOREIGN);
}

static void a_record_without_size_ends_the_reading(void **state)
{
    struct dump_fixture *fixture = *state;
    struct text text = header(MAGIC, MACHINE, 0);
    add_load(&text, 10, 0x1000, 0x10, "first");
    add_u64(&text, 0);
    add_u64(&text, 0);
    assert_true(after_writing(fixture, &text));
    assert_int_equal(fixture->dump.problems, JITDUMP_DAMAGED);
    assert_string_equal(name_at(fixture, 0x1000, 100), "first");
}

static void lines_outside_of_their_code_are_left_out(void **state)
{
    struct dump_fixture *fixture = *state;
    const struct entry lines[] = {{0x0800, 7, 0, "/b", 0},
                                  {0x1000, 1, 0, "/a", 0},
                                  {0x1008, 3, 0, "/a", 0},
                                  {0x9000, 2, 0, "/a", 0}};
    struct text text = header(MAGIC, MACHINE, 0);
    add_lines(&text, 0x1000, lines, 4);
    add_load(&text, 10, 0x1000, 0x10, "first");
    assert_true(after_writing(fixture, &text));
    assert_line(fixture, 0x1007, "/a", 1, 0);
    assert_line(fixture, 0x100f, "/a", 3, 0);
    assert_int_equal(fixture->dump.problems, JITDUMP_DAMAGED);
}

/* As BEAM writes them: its own line in the prologue, the next function's close to the end. */
static void a_line_that_begins_before_the_code_goes_on_into_it(void **state)
{
    struct dump_fixture *fixture = *state;
    const struct entry lines[] = {
        {0x0fce, 2, 0, "t.erl", 0}, {0x100a, 3, 0, "t.erl", 0}, {0x1010, 0, 0, "", 0}};
    struct text text = header(MAGIC, MACHINE, 0);
    add_lines(&text, 0x1000, lines, 3);
    add_load(&text, 10, 0x1000, 0x10, "t:fib/1");
    assert_true(after_writing(fixture, &text));
    assert_line(fixture, 0x1000, "t.erl", 2, 0);
    assert_line(fixture, 0x1009, "t.erl", 2, 0);
    assert_line(fixture, 0x100a, "t.erl", 3, 0);
    assert_int_equal(fixture->dump.problems, 0);
}

static void a_count_of_lines_that_is_a_lie_ends_with_the_record(void **state)
{
    struct dump_fixture *fixture = *state;
    struct text text = header(MAGIC, MACHINE, 0), body = {0};
    add_u64(&body, 0x1000);
    add_u64(&body, UINT64_MAX);
    add_u64(&body, 0x1000);
    add_u32(&body, 4);
    add_u32(&body, 0);
    add_name(&body, "/a");
    add_record(&text, 2, 10, &body);
    add_load(&text, 10, 0x1000, 0x10, "first");
    assert_true(after_writing(fixture, &text));
    assert_line(fixture, 0x1000, "/a", 4, 0);
    assert_int_equal(fixture->dump.problems, JITDUMP_DAMAGED);
}

static void code_that_wraps_around_is_left_out(void **state)
{
    struct dump_fixture *fixture = *state;
    struct text text = header(MAGIC, MACHINE, 0);
    add_load(&text, 10, UINT64_MAX - 4, 0x10, "wraps");
    add_load(&text, 10, 0x3000, 0, "empty");
    assert_false(after_writing(fixture, &text));
    assert_string_equal(name_at(fixture, UINT64_MAX - 2, 100), "");
}

static void a_file_of_endless_records_ends_at_a_limit(void **state)
{
    struct dump_fixture *fixture = *state;
    struct text text = header(MAGIC, MACHINE, 0), none = {0};
    add_record(&text, 99, 0, &none);
    assert_false(after_writing(fixture, &text));
    enum { PIECE = 1 << 16 };
    unsigned char *piece = calloc(PIECE, 16);
    assert_non_null(piece);
    for (size_t i = 0; i < PIECE; i++) {
        piece[16 * i] = 99;
        piece[16 * i + 4] = 16;
    }
    for (int i = 0; i < 65; i++)
        assert_int_equal(write(fixture->fd, piece, PIECE * 16), PIECE * 16);
    free(piece);
    bool changed;
    assert_int_equal(jitdump_refresh(&fixture->dump, &changed), 0);
    assert_int_equal(fixture->dump.problems, JITDUMP_TOO_LARGE);
}

static void a_file_that_was_cut_keeps_what_was_known(void **state)
{
    struct dump_fixture *fixture = *state;
    struct text text = header(MAGIC, MACHINE, 0);
    add_load(&text, 10, 0x1000, 0x10, "first");
    assert_true(after_writing(fixture, &text));
    assert_int_equal(ftruncate(fixture->fd, 50), 0);
    bool changed;
    assert_int_equal(jitdump_refresh(&fixture->dump, &changed), 0);
    assert_false(changed);
    assert_int_equal(fixture->dump.problems, JITDUMP_DAMAGED);
    assert_string_equal(name_at(fixture, 0x1000, 100), "first");
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(names_cover_their_bytes),
        test(code_that_was_replaced_is_known_as_of_its_time),
        test(moved_code_keeps_its_name_and_lines),
        test(lines_may_be_shifted_by_an_elf_header),
        test(names_that_are_no_text_cost_no_lines),
        test(a_record_counts_once_it_is_whole),
        test(times_of_the_processors_counter_are_compared_as_such),
        test(what_follows_the_end_is_not_read),
        test(records_of_unknown_kinds_are_skipped),
        test(another_machines_dump_is_refused),
        test(the_other_byte_order_is_refused),
        test(a_record_without_size_ends_the_reading),
        test(lines_outside_of_their_code_are_left_out),
        test(a_line_that_begins_before_the_code_goes_on_into_it),
        test(a_count_of_lines_that_is_a_lie_ends_with_the_record),
        test(code_that_wraps_around_is_left_out),
        test(a_file_of_endless_records_ends_at_a_limit),
        test(a_file_that_was_cut_keeps_what_was_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
