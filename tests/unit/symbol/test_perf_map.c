/* The map of a run-time compiler is read as it grows, and only as far as it can be believed. */
#include "module_fixture.h"

#include "symbol/perf_map.h"

struct map_fixture {
    struct target *target; /* this process */
    struct perf_map map;
    char path[64];
};

static int setup(void **state)
{
    struct map_fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    assert_int_equal(target_open(getpid(), &fixture->target), 0);
    snprintf(fixture->path, sizeof fixture->path, "/tmp/perf-%d.map",
             (int)fixture->target->inner_pid);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct map_fixture *fixture = *state;
    unlink(fixture->path);
    perf_map_free(&fixture->map);
    target_free(fixture->target);
    free(fixture);
    return 0;
}

/* Writes and tells whether a refresh sees a change. */
static bool after_writing(struct map_fixture *fixture, const char *mode, const char *text)
{
    FILE *file = fopen(fixture->path, mode);
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    bool changed = false;
    assert_int_equal(perf_map_refresh(&fixture->map, fixture->target, &changed), 0);
    return changed;
}

static const char *name_at(struct map_fixture *fixture, uint64_t ip)
{
    const char *name = perf_map_find(&fixture->map, ip);
    return name ? name : "";
}

static void names_cover_their_bytes(void **state)
{
    struct map_fixture *fixture = *state;
    assert_true(after_writing(fixture, "w", "1000 10 a name with spaces\n0x2000 0x1 hex\n"));
    assert_string_equal(name_at(fixture, 0xfff), "");
    assert_string_equal(name_at(fixture, 0x1000), "a name with spaces");
    assert_string_equal(name_at(fixture, 0x100f), "a name with spaces");
    assert_string_equal(name_at(fixture, 0x1010), "");
    assert_string_equal(name_at(fixture, 0x2000), "hex");
}

static void memory_used_again_has_the_last_name(void **state)
{
    struct map_fixture *fixture = *state;
    assert_true(after_writing(fixture, "w", "1008 10 new\n1000 10 old\n1004 8 newest\n"));
    assert_string_equal(name_at(fixture, 0x1003), "old");
    assert_string_equal(name_at(fixture, 0x1004), "newest");
    assert_string_equal(name_at(fixture, 0x100c), "old");
    assert_string_equal(name_at(fixture, 0x1010), "new");
}

static void a_line_counts_once_it_is_whole(void **state)
{
    struct map_fixture *fixture = *state;
    assert_true(after_writing(fixture, "w", "1000 10 one\n2000 10 tw"));
    assert_string_equal(name_at(fixture, 0x2000), "");
    assert_false(after_writing(fixture, "a", "o, but"));
    assert_true(after_writing(fixture, "a", " longer\n"));
    assert_string_equal(name_at(fixture, 0x1000), "one");
    assert_string_equal(name_at(fixture, 0x2000), "two, but longer");
    assert_false(after_writing(fixture, "a", ""));
}

static void a_file_that_did_not_grow_is_another_one(void **state)
{
    struct map_fixture *fixture = *state;
    assert_true(after_writing(fixture, "w", "1000 10 one\n2000 10 two\n"));
    assert_true(after_writing(fixture, "w", "3000 10 three\n"));
    assert_string_equal(name_at(fixture, 0x1000), "");
    assert_string_equal(name_at(fixture, 0x3000), "three");
    assert_true(after_writing(fixture, "w", "3000 10 other\n"));
    assert_string_equal(name_at(fixture, 0x3000), "other");
}

static void names_stay_when_the_file_goes(void **state)
{
    struct map_fixture *fixture = *state;
    bool changed;
    assert_true(after_writing(fixture, "w", "1000 10 one\n"));
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(perf_map_refresh(&fixture->map, fixture->target, &changed), 0);
    assert_false(changed);
    assert_string_equal(name_at(fixture, 0x1000), "one");
}

static void lines_that_make_no_sense_are_left_out(void **state)
{
    struct map_fixture *fixture = *state;
    after_writing(fixture, "w",
                  "\n \n-1 10 minus\n 1000 10 blank\n1000 10\n1000  10 two\n1000 0 empty\n"
                  "fffffffffffffff0 11 wraps\n10000000000000000 1 wide\n0x 1 none\n1000 10 \n");
    assert_int_equal(fixture->map.range_count, 0);
    assert_string_equal(name_at(fixture, 0x1000), "");
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(names_cover_their_bytes),        test(memory_used_again_has_the_last_name),
        test(a_line_counts_once_it_is_whole), test(a_file_that_did_not_grow_is_another_one),
        test(names_stay_when_the_file_goes),  test(lines_that_make_no_sense_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
