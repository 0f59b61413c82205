/* The line table: cost of each source line over all files. */
#include "query/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/index.h"
#include "query/ranking.h"
#include "query/rows.h"

/* Lines that frames have, as rows from 1; row 0 is "no line". */
struct line_rows {
    const struct query_frames *frames;
    struct query_line *rows; /* owned */
    size_t count, capacity;
    struct index index;
    uint32_t *row_of_frame;   /* owned */
    uint64_t *hits_of_frame;  /* owned */
    struct query_row *counts; /* owned */
    const struct frame *wanted;
};

static void line_rows_clear(struct line_rows *lines)
{
    free(lines->rows);
    free(lines->row_of_frame);
    free(lines->hits_of_frame);
    free(lines->counts);
    index_clear(&lines->index);
}

#define _cleanup_line_rows_ __attribute__((cleanup(line_rows_clear)))

static bool equal(const void *user, uint32_t position)
{
    const struct line_rows *lines = user;
    const struct query_line *row = &lines->rows[position];
    return row->file == lines->wanted->file && row->line == lines->wanted->line;
}

static uint64_t rehash(const void *user, uint32_t position)
{
    const struct line_rows *lines = user;
    return hash_pair(lines->rows[position].file, lines->rows[position].line);
}

static int add_row(struct line_rows *lines, const struct frame *frame, uint32_t *ret_row)
{
    lines->wanted = frame;
    uint64_t hash = hash_pair(frame->file, frame->line);
    uint32_t row = index_find(&lines->index, hash, equal, lines);
    if (row == INDEX_EMPTY) {
        row = (uint32_t)lines->count;
        if (array_reserve(&lines->rows, &lines->capacity, lines->count + 1, sizeof *lines->rows))
            return -ENOMEM;
        lines->rows[lines->count++] = (struct query_line){
            .file = frame->file, .line = frame->line, .function = frame->function};
        int error = index_add(&lines->index, hash, row, rehash, lines);
        if (error)
            return error;
    }
    *ret_row = row;
    return 0;
}

static int map_frames(struct line_rows *lines)
{
    uint32_t count = lines->frames->count;
    lines->row_of_frame = calloc(count + 1ul, sizeof *lines->row_of_frame);
    lines->hits_of_frame = calloc(count + 1ul, sizeof *lines->hits_of_frame);
    if (!lines->row_of_frame || !lines->hits_of_frame ||
        array_reserve(&lines->rows, &lines->capacity, 1, sizeof *lines->rows))
        return -ENOMEM;
    lines->rows[lines->count++] = (struct query_line){0};

    for (uint32_t i = 0; i < count; i++) {
        const struct frame *frame = &lines->frames->frames[i];
        if (!query_frame_has_line(frame))
            continue;
        int error = add_row(lines, frame, &lines->row_of_frame[i]);
        if (error)
            return error;
    }
    return 0;
}

/* What one frame adds to a line that more than one function shares. */
struct claim {
    uint32_t row, function;
    uint64_t hits;
};

static int compare_claims(const void *a, const void *b)
{
    const struct claim *left = a, *right = b;
    int order = query_id_compare(left->row, right->row);
    return order ? order : query_id_compare(left->function, right->function);
}

static size_t collect_claims(const struct line_rows *lines, const bool *shared,
                             struct claim *ret_claims)
{
    size_t count = 0;
    for (uint32_t i = 0; i < lines->frames->count; i++)
        if (shared[lines->row_of_frame[i]] && lines->hits_of_frame[i])
            ret_claims[count++] = (struct claim){.row = lines->row_of_frame[i],
                                                 .function = lines->frames->frames[i].function,
                                                 .hits = lines->hits_of_frame[i]};
    return count;
}

/* Gives each line that several functions share (templates, macros) its most expensive function. */
static void settle_claims(struct line_rows *lines, struct claim *claims, size_t count)
{
    qsort(claims, count, sizeof *claims, compare_claims);
    uint64_t best = 0;
    for (size_t i = 0; i < count;) {
        struct claim sum = {.row = claims[i].row, .function = claims[i].function};
        if (i == 0 || claims[i - 1].row != sum.row)
            best = 0;
        for (; i < count && compare_claims(&claims[i], &sum) == 0; i++)
            sum.hits += claims[i].hits;
        if (sum.hits > best) {
            best = sum.hits;
            lines->rows[sum.row].function = sum.function;
        }
    }
}

static int choose_functions(struct line_rows *lines)
{
    const struct query_frames *frames = lines->frames;
    _cleanup_free_ bool *shared = calloc(lines->count, sizeof *shared);
    if (!shared)
        return -ENOMEM;
    size_t claim_count = 0;
    for (uint32_t i = 0; i < frames->count; i++) {
        uint32_t row = lines->row_of_frame[i];
        if (row && lines->rows[row].function != frames->frames[i].function)
            shared[row] = true;
    }
    for (uint32_t i = 0; i < frames->count; i++)
        claim_count += shared[lines->row_of_frame[i]];

    _cleanup_free_ struct claim *claims = malloc((claim_count + 1) * sizeof *claims);
    if (!claims)
        return -ENOMEM;
    settle_claims(lines, claims, collect_claims(lines, shared, claims));
    return 0;
}

static uint64_t id_of_line(const void *row)
{
    const struct query_line *line = row;
    return (uint64_t)line->file << 32 | line->line;
}

int query_lines_rank(struct query_lines *lines, enum query_sort sort)
{
    static const struct query_ranking ranking = {
        .row_bytes = sizeof(struct query_line),
        .cost_offset = offsetof(struct query_line, cost),
        .id = id_of_line,
    };
    return query_rank(lines->rows, lines->count, &ranking, sort);
}

struct query_unknown query_unknown_make(const struct query_walk *walk,
                                        const struct query_frames *frames, struct query_cost cost)
{
    struct query_unknown unknown = {.cost = cost};
    unknown.hits_by_status[SYMBOL_NO_MODULE] += walk->self[0].hits;
    for (uint32_t i = 1; i < walk->count; i++) {
        uint32_t location = walk->location[i];
        if (!walk->self[i].hits || query_frame_has_line(&frames->frames[frames->first[location]]))
            continue;
        /* Line 0 within a known location is what compilers say of code that no line stands for. */
        enum symbol_status status = frames->status[location];
        unknown.hits_by_status[status == SYMBOL_LINE ? SYMBOL_NO_LINE : status] +=
            walk->self[i].hits;
    }
    return unknown;
}

/* Turns the counted rows into the answer, without row 0; they are used up. */
static int finish(struct line_rows *lines, const struct query_walk *walk, enum query_sort sort,
                  struct query_lines **ret_lines)
{
    _cleanup_free_ uint32_t *inlined_into = NULL;
    int error = query_rows_inlined_into(walk, lines->frames, lines->row_of_frame,
                                        (uint32_t)lines->count, &inlined_into);
    if (error)
        return error;
    struct query_lines *answer = calloc(1, sizeof *answer);
    if (!answer)
        return -ENOMEM;
    for (size_t i = 0; i < lines->count; i++) {
        lines->rows[i].cost =
            query_cost_make(lines->counts[i].self, lines->counts[i].total, walk->all, sort);
        lines->rows[i].inlined_into = inlined_into[i];
    }
    answer->total = walk->all;
    answer->unknown = query_unknown_make(walk, lines->frames, lines->rows[0].cost);
    answer->count = lines->count - 1;
    answer->rows = take_pointer(lines->rows);
    memmove(answer->rows, answer->rows + 1, answer->count * sizeof *answer->rows);
    *ret_lines = answer;
    return 0;
}

int query_lines_unsorted(const struct query_walk *walk, const struct query_frames *frames,
                         enum query_sort sort, struct query_lines **ret_lines,
                         uint32_t **ret_row_of_frame)
{
    _cleanup_line_rows_ struct line_rows lines = {.frames = frames};
    int error = map_frames(&lines);
    if (!error)
        error = query_rows_count(walk, frames, lines.row_of_frame, (uint32_t)lines.count,
                                 lines.hits_of_frame, &lines.counts);
    if (!error)
        error = choose_functions(&lines);
    if (!error)
        error = finish(&lines, walk, sort, ret_lines);
    if (!error)
        *ret_row_of_frame = take_pointer(lines.row_of_frame);
    return error;
}

int query_lines_of_walk(const struct query_walk *walk, const struct query_frames *frames,
                        enum query_sort sort, struct query_lines **ret_lines)
{
    _cleanup_free_ uint32_t *row_of_frame = NULL;
    _cleanup_query_lines_ struct query_lines *lines = NULL;
    int error = query_lines_unsorted(walk, frames, sort, &lines, &row_of_frame);
    if (!error)
        error = query_lines_rank(lines, sort);
    if (!error)
        *ret_lines = take_pointer(lines);
    return error;
}

int query_lines(const struct profile_view *view, const struct query_options *options,
                struct query_lines **ret_lines)
{
    _cleanup_query_walk_ struct query_walk *walk = NULL;
    _cleanup_query_frames_ struct query_frames *frames = NULL;
    int error = query_walk_new(view, options, &walk);
    if (!error)
        error = query_frames_new(view, walk, options->inlines, &frames);
    return error ? error : query_lines_of_walk(walk, frames, options->sort, ret_lines);
}

void query_lines_free(struct query_lines *lines)
{
    if (!lines)
        return;
    free(lines->rows);
    free(lines);
}
