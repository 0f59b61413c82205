/* Which lines of two texts are the same: what `diff` finds. */
#include "query/diff_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "query/diff_myers.h"

struct line {
    const char *bytes;
    size_t length; /* without its end */
    uint64_t hash;
};

struct lines {
    struct line *items; /* owned */
    size_t count, capacity;
};

static void lines_clear(struct lines *lines)
{
    free(lines->items);
}

#define _cleanup_lines_ __attribute__((cleanup(lines_clear)))

static int split(const char *bytes, size_t length, struct lines *lines)
{
    for (size_t offset = 0; offset < length;) {
        const char *start = bytes + offset;
        const char *end = memchr(start, '\n', length - offset);
        size_t count = end ? (size_t)(end - start) : length - offset;
        offset += count + (end != NULL);
        if (end && count && start[count - 1] == '\r')
            count--;
        if (lines->count == DIFF_TEXT_LINES_MAX)
            return -E2BIG;
        if (array_reserve(&lines->items, &lines->capacity, lines->count + 1, sizeof *lines->items))
            return -ENOMEM;
        lines->items[lines->count++] = (struct line){start, count, hash_bytes(start, count)};
    }
    return 0;
}

static int compare_lines(const struct line *left, const struct line *right)
{
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    if (left->length != right->length)
        return left->length < right->length ? -1 : 1;
    return left->length ? memcmp(left->bytes, right->bytes, left->length) : 0;
}

static int compare_line_pointers(const void *a, const void *b)
{
    return compare_lines(*(const struct line *const *)a, *(const struct line *const *)b);
}

/* The lines between what both texts begin and end with, those that are on both sides. */
struct middle {
    uint32_t *kinds; /* owned; equal lines have equal numbers */
    uint32_t *lines; /* owned; which line that is, from 0 */
    uint32_t count;
};

static void middle_clear(struct middle *middle)
{
    free(middle->kinds);
    free(middle->lines);
}

#define _cleanup_middle_ __attribute__((cleanup(middle_clear)))

/*
 * Numbers the lines first to end - 1 of both sides by content, 0 for those that the other side does
 * not have. Sorting, not hashing, so that no text makes this slow.
 */
static int number_lines(const struct lines sides[DIFF_SIDES], size_t first,
                        const size_t ends[DIFF_SIDES], uint32_t *ret_kinds[DIFF_SIDES])
{
    size_t count = ends[DIFF_A] + ends[DIFF_B] - 2 * first;
    _cleanup_free_ const struct line **order = malloc((count + 1) * sizeof *order);
    if (!order)
        return -ENOMEM;
    const struct line *a_first = sides[DIFF_A].items + first,
                      *b_first = sides[DIFF_B].items + first;
    const struct line *a_end = sides[DIFF_A].items + ends[DIFF_A];
    size_t filled = 0;
    for (const struct line *line = a_first; line < a_end; line++)
        order[filled++] = line;
    for (const struct line *line = b_first; line < sides[DIFF_B].items + ends[DIFF_B]; line++)
        order[filled++] = line;
    qsort(order, count, sizeof *order, compare_line_pointers);

    uint32_t kind = 0;
    for (size_t i = 0, end; i < count; i = end) {
        bool has[DIFF_SIDES] = {false, false};
        for (end = i; end < count && compare_lines(order[i], order[end]) == 0; end++)
            has[order[end] >= a_first && order[end] < a_end ? DIFF_A : DIFF_B] = true;
        kind += has[DIFF_A] && has[DIFF_B];
        for (size_t j = i; j < end && has[DIFF_A] && has[DIFF_B]; j++) {
            bool in_a = order[j] >= a_first && order[j] < a_end;
            ret_kinds[in_a ? DIFF_A : DIFF_B][order[j] - (in_a ? a_first : b_first)] = kind;
        }
    }
    return 0;
}

/* Drops lines of kind 0. */
static int middle_init(struct middle *middle, uint32_t *kinds, size_t first, size_t end)
{
    middle->lines = malloc((end - first + 1) * sizeof *middle->lines);
    middle->kinds = kinds;
    if (!middle->lines)
        return -ENOMEM;
    for (size_t i = first; i < end; i++) {
        if (!kinds[i - first])
            continue;
        middle->lines[middle->count] = (uint32_t)i;
        middle->kinds[middle->count++] = kinds[i - first];
    }
    return 0;
}

static void match(struct diff_text *text, size_t a, size_t b)
{
    text->other[DIFF_A][a] = (uint32_t)b + 1;
    text->other[DIFF_B][b] = (uint32_t)a + 1;
}

static int align_middle(struct diff_text *text, const struct lines sides[DIFF_SIDES], size_t first,
                        const size_t ends[DIFF_SIDES])
{
    _cleanup_middle_ struct middle a = {0};
    _cleanup_middle_ struct middle b = {0};
    if (ends[DIFF_A] == first || ends[DIFF_B] == first)
        return 0;
    uint32_t *kinds[DIFF_SIDES];
    kinds[DIFF_A] = a.kinds = calloc(ends[DIFF_A] - first + 1, sizeof *a.kinds);
    kinds[DIFF_B] = b.kinds = calloc(ends[DIFF_B] - first + 1, sizeof *b.kinds);
    if (!a.kinds || !b.kinds)
        return -ENOMEM;
    int error = number_lines(sides, first, ends, kinds);
    if (!error)
        error = middle_init(&a, a.kinds, first, ends[DIFF_A]);
    if (!error)
        error = middle_init(&b, b.kinds, first, ends[DIFF_B]);
    if (error)
        return error;

    _cleanup_free_ uint32_t *matches = calloc(a.count + 1ul, sizeof *matches);
    if (!matches)
        return -ENOMEM;
    error = diff_myers(a.kinds, a.count, b.kinds, b.count, matches);
    for (uint32_t i = 0; i < a.count && !error; i++)
        if (matches[i])
            match(text, a.lines[i], b.lines[matches[i] - 1]);
    return error;
}

static int align(struct diff_text *text, const struct lines sides[DIFF_SIDES])
{
    const struct lines *a = &sides[DIFF_A], *b = &sides[DIFF_B];
    size_t ends[DIFF_SIDES] = {a->count, b->count}, first = 0;
    while (first < a->count && first < b->count &&
           compare_lines(&a->items[first], &b->items[first]) == 0)
        first++;
    text->is_equal = first == a->count && first == b->count;
    if (text->is_equal)
        return 0;

    for (int side = 0; side < DIFF_SIDES; side++) {
        text->other[side] = calloc(text->count[side] + 1ul, sizeof *text->other[side]);
        if (!text->other[side])
            return -ENOMEM;
    }
    for (size_t i = 0; i < first; i++)
        match(text, i, i);
    while (ends[DIFF_A] > first && ends[DIFF_B] > first &&
           compare_lines(&a->items[ends[DIFF_A] - 1], &b->items[ends[DIFF_B] - 1]) == 0)
        match(text, --ends[DIFF_A], --ends[DIFF_B]);
    return align_middle(text, sides, first, ends);
}

static void text_freep(struct diff_text **text)
{
    diff_text_free(*text);
}

int diff_text_new(const char *a, size_t a_bytes, const char *b, size_t b_bytes,
                  struct diff_text **ret_text)
{
    _cleanup_(text_freep) struct diff_text *text = calloc(1, sizeof *text);
    _cleanup_lines_ struct lines left = {0};
    _cleanup_lines_ struct lines right = {0};
    if (!text)
        return -ENOMEM;
    int error = split(a, a_bytes, &left);
    if (!error)
        error = split(b, b_bytes, &right);
    if (error)
        return error;
    text->count[DIFF_A] = (uint32_t)left.count;
    text->count[DIFF_B] = (uint32_t)right.count;
    error = align(text, (const struct lines[DIFF_SIDES]){left, right});
    if (!error)
        *ret_text = take_pointer(text);
    return error;
}

void diff_text_free(struct diff_text *text)
{
    if (!text)
        return;
    free(text->other[DIFF_A]);
    free(text->other[DIFF_B]);
    free(text);
}

uint32_t diff_text_line(const struct diff_text *text, enum diff_side side, uint32_t line)
{
    if (text->is_equal || line == 0)
        return line;
    if (line <= text->count[side])
        return text->other[side][line - 1];
    uint64_t other = (uint64_t)text->count[!side] + (line - text->count[side]);
    return other > UINT32_MAX ? 0 : (uint32_t)other;
}

int diff_text_runs(const struct diff_text *text, struct diff_run **ret_runs, size_t *ret_count)
{
    _cleanup_free_ struct diff_run *runs = NULL;
    size_t count = 0, capacity = 0;
    for (uint32_t i = 0; !text->is_equal && i < text->count[DIFF_B]; i++) {
        uint32_t a = text->other[DIFF_B][i];
        struct diff_run *last = count ? &runs[count - 1] : NULL;
        if (!a)
            continue;
        if (last && a == last->a + last->count && i + 1 == last->b + last->count) {
            last->count++;
            continue;
        }
        if (array_reserve(&runs, &capacity, count + 1, sizeof *runs))
            return -ENOMEM;
        runs[count] = (struct diff_run){.a = a, .b = i + 1, .count = 1};
        count++;
    }
    *ret_runs = take_pointer(runs);
    *ret_count = count;
    return 0;
}
