/* Which lines of two texts are the same, against the textbook's quadratic algorithm. */
#include "fixture.h"
#include "query/diff_myers.h"
#include "query/diff_text.h"

static struct diff_text *align(const char *a, const char *b)
{
    struct diff_text *text = NULL;
    assert_int_equal(diff_text_new(a, strlen(a), b, strlen(b), &text), 0);
    return text;
}

static void an_edit_above_moves_what_is_below(void **state)
{
    (void)state;
    struct diff_text *text = align("int a;\nhot();\nint z;\n", "int a;\nnew();\nnewer();\nhot();\n"
                                                               "int z;\n");
    assert_int_equal(diff_text_line(text, DIFF_A, 1), 1);
    assert_int_equal(diff_text_line(text, DIFF_A, 2), 4);
    assert_int_equal(diff_text_line(text, DIFF_A, 3), 5);
    assert_int_equal(diff_text_line(text, DIFF_B, 4), 2);
    assert_int_equal(diff_text_line(text, DIFF_B, 2), 0);
    assert_int_equal(diff_text_line(text, DIFF_B, 3), 0);

    struct diff_run *runs = NULL;
    size_t count = 0;
    assert_int_equal(diff_text_runs(text, &runs, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(runs[0].a, 1);
    assert_int_equal(runs[0].count, 1);
    assert_int_equal(runs[1].a, 2);
    assert_int_equal(runs[1].b, 4);
    assert_int_equal(runs[1].count, 2);
    free(runs);
    diff_text_free(text);
}

static void equal_texts_need_no_map(void **state)
{
    (void)state;
    struct diff_text *text = align("a\nb\n", "a\nb\n");
    assert_true(text->is_equal);
    assert_int_equal(diff_text_line(text, DIFF_A, 2), 2);
    assert_int_equal(diff_text_line(text, DIFF_B, 77), 77);
    diff_text_free(text);

    text = align("", "");
    assert_true(text->is_equal);
    diff_text_free(text);
}

static void line_ends_do_not_count(void **state)
{
    (void)state;
    struct diff_text *text = align("a\r\nb\r\nc", "a\nb\nc\n");
    assert_true(text->is_equal);
    diff_text_free(text);
}

static void an_empty_text_has_no_counterparts(void **state)
{
    (void)state;
    struct diff_text *text = NULL;
    assert_int_equal(diff_text_new("x\ny\n", 4, NULL, 0, &text), 0);
    assert_int_equal(diff_text_line(text, DIFF_A, 1), 0);
    assert_int_equal(diff_text_line(text, DIFF_A, 2), 0);
    diff_text_free(text);
}

/* Debug information may name any line; a side's are never paired twice. */
static void lines_behind_the_end_stay_apart(void **state)
{
    (void)state;
    struct diff_text *text = align("a\nb\n", "new\na\nb\n");
    assert_int_equal(diff_text_line(text, DIFF_A, 2), 3);
    assert_int_equal(diff_text_line(text, DIFF_A, 3), 4);
    assert_int_equal(diff_text_line(text, DIFF_B, 4), 3);
    assert_int_equal(diff_text_line(text, DIFF_A, UINT32_MAX), 0);
    diff_text_free(text);
}

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

/* The length of a longest common subsequence, row by row. */
static uint32_t longest(const uint32_t *a, uint32_t a_count, const uint32_t *b, uint32_t b_count)
{
    uint32_t lengths[64] = {0};
    for (uint32_t i = 0; i < a_count; i++) {
        uint32_t diagonal = 0;
        for (uint32_t j = 0; j < b_count; j++) {
            uint32_t above = lengths[j + 1], left = lengths[j];
            uint32_t best = above > left ? above : left;
            lengths[j + 1] = a[i] == b[j] ? diagonal + 1 : best;
            diagonal = above;
        }
    }
    return lengths[b_count];
}

/* Matches ascend on both sides and join what is equal; returns how many there are. */
static uint32_t check_matches(const uint32_t *a, uint32_t a_count, const uint32_t *b,
                              uint32_t b_count, const uint32_t *matches)
{
    uint32_t count = 0, last = 0;
    for (uint32_t i = 0; i < a_count; i++) {
        if (!matches[i])
            continue;
        assert_true(matches[i] > last && matches[i] <= b_count);
        assert_int_equal(a[i], b[matches[i] - 1]);
        last = matches[i];
        count++;
    }
    return count;
}

static void common_subsequences_are_longest(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        uint32_t a[40], b[40], matches[40] = {0};
        uint32_t a_count = next_random(&seed) % 40, b_count = next_random(&seed) % 40;
        uint32_t kinds = 1 + next_random(&seed) % 8;
        for (uint32_t i = 0; i < a_count; i++)
            a[i] = next_random(&seed) % kinds;
        for (uint32_t i = 0; i < b_count; i++)
            b[i] = next_random(&seed) % kinds;
        assert_int_equal(diff_myers(a, a_count, b, b_count, matches), 0);
        assert_int_equal(check_matches(a, a_count, b, b_count, matches),
                         longest(a, a_count, b, b_count));
    }
}

/* Past the edits that are looked for, what is found is shorter perhaps, but still common. */
static void very_different_sequences_end_in_time(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    uint32_t *a = malloc(COUNT * sizeof *a), *b = malloc(COUNT * sizeof *b);
    uint32_t *matches = calloc(COUNT, sizeof *matches);
    uint64_t seed = 2;
    for (uint32_t kinds = 2; kinds <= COUNT; kinds *= 10) {
        for (uint32_t i = 0; i < COUNT; i++) {
            a[i] = next_random(&seed) % kinds;
            b[i] = next_random(&seed) % kinds;
        }
        memset(matches, 0, COUNT * sizeof *matches);
        assert_int_equal(diff_myers(a, COUNT, b, COUNT, matches), 0);
        assert_true(check_matches(a, COUNT, b, COUNT, matches) > 0);
    }
    /* The same items backwards: one match is all there is. */
    for (uint32_t i = 0; i < COUNT; i++) {
        a[i] = i;
        b[COUNT - 1 - i] = i;
    }
    memset(matches, 0, COUNT * sizeof *matches);
    assert_int_equal(diff_myers(a, COUNT, b, COUNT, matches), 0);
    assert_int_equal(check_matches(a, COUNT, b, COUNT, matches), 1);
    free(a);
    free(b);
    free(matches);
}

/* As many lines as a large amalgamation has, with edits spread over them. */
static void edits_in_a_large_text_are_all_found(void **state)
{
    (void)state;
    enum { LINES = 270000, EVERY = 1000 };
    struct text a = {0}, b = {0};
    for (int i = 1; i <= LINES; i++) {
        text_printf(&a, i % 3 ? "    x[%d] = f(%d);\n" : "}\n", i, i);
        if (i % EVERY == 0)
            text_add_string(&b, "    inserted();\n");
        if (i % EVERY != 500) /* and that one is removed */
            text_printf(&b, i % 3 ? "    x[%d] = f(%d);\n" : "}\n", i, i);
    }
    struct diff_text *text = NULL;
    assert_int_equal(diff_text_new(a.bytes, a.length, b.bytes, b.length, &text), 0);
    for (uint32_t line = 1; line <= LINES; line++) {
        uint32_t inserted = line / EVERY, removed = (line + 500) / EVERY;
        if (line % 3 == 0)
            continue; /* one brace is like another */
        assert_int_equal(diff_text_line(text, DIFF_A, line),
                         line % EVERY == 500 ? 0 : line + inserted - removed);
    }
    diff_text_free(text);
    text_free(&a);
    text_free(&b);
}

static void too_many_lines_are_refused(void **state)
{
    (void)state;
    size_t bytes = DIFF_TEXT_LINES_MAX + 1;
    char *ends = malloc(bytes);
    memset(ends, '\n', bytes);
    struct diff_text *text = NULL;
    assert_int_equal(diff_text_new(ends, bytes, "a\n", 2, &text), -E2BIG);
    assert_int_equal(diff_text_new(ends, bytes - 1, "a\n", 2, &text), 0);
    assert_int_equal(diff_text_line(text, DIFF_B, 1), 0);
    diff_text_free(text);
    free(ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_above_moves_what_is_below),
        cmocka_unit_test(equal_texts_need_no_map),
        cmocka_unit_test(line_ends_do_not_count),
        cmocka_unit_test(an_empty_text_has_no_counterparts),
        cmocka_unit_test(lines_behind_the_end_stay_apart),
        cmocka_unit_test(common_subsequences_are_longest),
        cmocka_unit_test(very_different_sequences_end_in_time),
        cmocka_unit_test(edits_in_a_large_text_are_all_found),
        cmocka_unit_test(too_many_lines_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
