/* Two arbitrary texts, apart at a NUL: aligned lines are equal, ascend, and agree on both sides. */
#include "fuzz.h"

#include "query/diff_text.h"
#include "query/source_text.h"

/* As both count lines: source_text leaves the '\r' of a last line that no '\n' ends. */
static void check_equal(const struct source_text *a, uint32_t a_line, const struct source_text *b,
                        uint32_t b_line)
{
    const char *left, *right;
    size_t left_bytes, right_bytes;
    fuzz_check(source_text_line(a, a_line, &left, &left_bytes));
    fuzz_check(source_text_line(b, b_line, &right, &right_bytes));
    fuzz_check(left_bytes == right_bytes && memcmp(left, right, left_bytes) == 0);
}

static void check(const struct diff_text *text, const struct source_text *a,
                  const struct source_text *b)
{
    uint32_t last = 0;
    for (uint32_t line = 1; line <= a->line_count; line++) {
        uint32_t other = diff_text_line(text, DIFF_A, line);
        if (!other)
            continue;
        fuzz_check(other > last && other <= b->line_count);
        fuzz_check(diff_text_line(text, DIFF_B, other) == line);
        check_equal(a, line, b, other);
        last = other;
    }
    struct diff_run *runs;
    size_t count;
    fuzz_check(diff_text_runs(text, &runs, &count) == 0);
    for (size_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < runs[i].count; j++)
            fuzz_check(diff_text_line(text, DIFF_A, runs[i].a + j) == runs[i].b + j);
    free(runs);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const uint8_t *gap = memchr(bytes, 0, length);
    size_t a_bytes = gap ? (size_t)(gap - bytes) : length;
    size_t b_bytes = gap ? length - a_bytes - 1 : 0;
    const char *first = (const char *)bytes, *second = first + (length - b_bytes);
    struct diff_text *text;
    struct source_text a = {0}, b = {0};
    /* A byte order mark is text for one of the two only. */
    if ((a_bytes >= 3 && !memcmp(first, "\xef\xbb\xbf", 3)) ||
        (b_bytes >= 3 && !memcmp(second, "\xef\xbb\xbf", 3)))
        return 0;
    fuzz_check(source_text_init(&a, first, a_bytes) == 0);
    fuzz_check(source_text_init(&b, second, b_bytes) == 0);
    fuzz_check(diff_text_new(first, a_bytes, second, b_bytes, &text) == 0);
    check(text, &a, &b);
    diff_text_free(text);
    source_text_clear(&a);
    source_text_clear(&b);
    return 0;
}
