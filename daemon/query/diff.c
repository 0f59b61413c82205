/* Comparing two profiles: rows of both sides beside each other. */
#include "lprofd/diff.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "query/cost.h"
#include "query/diff_lines.h"
#include "query/diff_statistics.h"

static void lines_freep(struct query_lines **lines)
{
    query_lines_free(*lines);
}

static void functions_freep(struct query_functions **functions)
{
    query_functions_free(*functions);
}

static void diff_freep(struct diff **diff)
{
    query_diff_free(*diff);
}

static enum query_sort compared(const struct diff_options *options)
{
    return options->queries[DIFF_A].sort;
}

static struct diff_share share_of(const struct diff_place *place, enum query_sort sort,
                                  struct query_total all)
{
    const struct query_cost *cost = &place->cost;
    bool self = sort == QUERY_SORT_SELF;
    double share = (self ? cost->self_percent : cost->total_percent) / 100;
    uint64_t hits = self ? cost->self_hits : cost->total_hits;
    return (struct diff_share){share, query_samples_behind(hits, share, all.hits)};
}

/* A row whose sides have no cost yet. */
static struct diff_row *add_row(const struct diff_options *options, struct diff *diff)
{
    struct diff_row *row = &diff->rows[diff->count++];
    *row = (struct diff_row){0};
    for (int side = 0; side < DIFF_SIDES; side++)
        row->sides[side].cost = query_cost_make((struct query_count){0}, (struct query_count){0},
                                                diff->total[side], compared(options));
    return row;
}

/* After the queries, so that it knows all their functions; with room for `rows_max` rows. */
static int match_sides(const struct diff_options *options, size_t rows_max,
                       struct diff_match *match, struct diff *diff)
{
    diff->rows = calloc(rows_max + 1, sizeof *diff->rows);
    return diff->rows ? diff_match_init(match, options->views) : -ENOMEM;
}

/* --- functions -------------------------------------------------------------------------------- */

static void fill_function(const struct diff_match *match, int side, uint32_t id,
                          struct diff_place *place)
{
    if (id < match->names[side].function_count) {
        place->file = match->names[side].functions[id].file;
        place->line = match->names[side].functions[id].line;
    }
    place->function = id;
}

static uint32_t function_pair(const struct diff_match *match, int side, uint32_t id)
{
    return id < match->names[side].function_count ? match->functions[side][id] : DIFF_UNPAIRED;
}

/* Rows of a; and of b, those that no row of a stands for. */
static int join_functions(const struct diff_options *options, const struct diff_match *match,
                          const struct query_functions *const sides[DIFF_SIDES], struct diff *diff)
{
    uint32_t count = match->names[DIFF_B].function_count;
    _cleanup_free_ struct diff_row **row_of_b = calloc(count + 1ul, sizeof *row_of_b);
    if (!row_of_b)
        return -ENOMEM;
    for (int side = 0; side < DIFF_SIDES; side++)
        for (size_t i = 0; i < sides[side]->count; i++) {
            const struct query_function *function = &sides[side]->rows[i];
            uint32_t other = function_pair(match, side, function->function);
            struct diff_row *row = NULL;
            if (side == DIFF_B && function->function < count)
                row = row_of_b[function->function];
            if (!row) {
                row = add_row(options, diff);
                row->presence = side == DIFF_A ? DIFF_ONLY_IN_A : DIFF_ONLY_IN_B;
                fill_function(match, side, function->function, &row->sides[side]);
            }
            row->sides[side].cost = function->cost;
            if (other == DIFF_UNPAIRED)
                continue;
            row->presence = DIFF_IN_BOTH;
            fill_function(match, !side, other, &row->sides[!side]);
            if (side == DIFF_A)
                row_of_b[other] = row;
        }
    return 0;
}

static int compare_functions(const struct diff_options *options, struct diff *diff)
{
    _cleanup_(functions_freep) struct query_functions *a = NULL;
    _cleanup_(functions_freep) struct query_functions *b = NULL;
    _cleanup_diff_match_ struct diff_match match = {0};
    int error = query_functions(options->views[DIFF_A], &options->queries[DIFF_A], &a);
    if (!error)
        error = query_functions(options->views[DIFF_B], &options->queries[DIFF_B], &b);
    if (!error)
        error = match_sides(options, a->count + b->count, &match, diff);
    if (error)
        return error;
    diff->total[DIFF_A] = a->total;
    diff->total[DIFF_B] = b->total;
    return join_functions(options, &match, (const struct query_functions *const[]){a, b}, diff);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* Rows of one side with what they are on the other. */
struct side_lines {
    const struct query_lines *lines;
    struct diff_counterpart *counterparts; /* owned */
    struct diff_key *keys;                 /* owned; b's file and line */
    uint32_t *pair;                        /* owned */
};

static void side_lines_clear(struct side_lines *side)
{
    free(side->counterparts);
    free(side->keys);
    free(side->pair);
}

#define _cleanup_side_lines_ __attribute__((cleanup(side_lines_clear)))

static int side_lines_init(struct side_lines *to, struct diff_lines *files, enum diff_side side,
                           const struct query_lines *lines)
{
    to->lines = lines;
    to->counterparts = calloc(lines->count + 1, sizeof *to->counterparts);
    to->keys = calloc(lines->count + 1, sizeof *to->keys);
    to->pair = malloc((lines->count + 1) * sizeof *to->pair);
    if (!to->counterparts || !to->keys || !to->pair)
        return -ENOMEM;
    for (size_t i = 0; i < lines->count; i++) {
        const struct query_line *line = &lines->rows[i];
        struct diff_counterpart *there = &to->counterparts[i];
        int error = diff_lines_find(files, side, line->file, line->line, line->function, there);
        if (error)
            return error;
        to->pair[i] = DIFF_UNPAIRED;
        to->keys[i] = (struct diff_key){
            .text = side == DIFF_B || there->line ? "" : NULL,
            .numbers = {side == DIFF_B ? line->file : there->file,
                        side == DIFF_B ? line->line : there->line},
        };
    }
    return 0;
}

static void fill_line(const struct query_line *line, struct diff_place *place)
{
    *place = (struct diff_place){line->file, line->line, line->function, line->cost};
}

static void join_lines(const struct diff_options *options,
                       const struct side_lines sides[DIFF_SIDES], struct diff *diff)
{
    for (int side = 0; side < DIFF_SIDES; side++)
        for (size_t i = 0; i < sides[side].lines->count; i++) {
            uint32_t pair = sides[side].pair[i];
            if (side == DIFF_B && pair != DIFF_UNPAIRED)
                continue;
            const struct diff_counterpart *there = &sides[side].counterparts[i];
            struct diff_row *row = add_row(options, diff);
            fill_line(&sides[side].lines->rows[i], &row->sides[side]);
            row->alignment = there->alignment;
            row->sides[!side].file = there->file;
            row->sides[!side].line = there->line;
            if (pair != DIFF_UNPAIRED)
                fill_line(&sides[!side].lines->rows[pair], &row->sides[!side]);
            if (!there->line)
                row->presence = side == DIFF_A ? DIFF_ONLY_IN_A : DIFF_ONLY_IN_B;
        }
}

/* What the answer says of the one file that was asked for. */
static int describe_file(const struct diff_options *options, struct diff_lines *files,
                         struct diff *diff)
{
    const struct diff_match *match = files->match;
    const struct diff_file *file;
    if (options->file >= match->names[DIFF_B].file_count)
        return -ENOENT;
    diff->files[DIFF_B] = options->file;
    diff->alignment = DIFF_ALIGNED_NONE;
    if (match->files[DIFF_B][options->file] == DIFF_UNPAIRED)
        return 0;
    diff->files[DIFF_A] = match->files[DIFF_B][options->file];
    int error = diff_lines_file(files, options->file, &file);
    if (error)
        return error;
    diff->alignment = file->alignment;
    return file->alignment == DIFF_ALIGNED_TEXT
               ? diff_text_runs(file->text, &diff->runs, &diff->run_count)
               : 0;
}

static int align_lines(const struct diff_options *options, const struct diff_match *match,
                       const struct query_lines *a, const struct query_lines *b, struct diff *diff)
{
    _cleanup_diff_lines_ struct diff_lines files;
    _cleanup_side_lines_ struct side_lines left = {0};
    _cleanup_side_lines_ struct side_lines right = {0};
    int error = diff_lines_init(&files, match, options->sources);
    if (!error && options->file)
        error = describe_file(options, &files, diff);
    if (!error)
        error = side_lines_init(&left, &files, DIFF_A, a);
    if (!error)
        error = side_lines_init(&right, &files, DIFF_B, b);
    if (!error)
        error = diff_pair((struct diff_list){left.keys, left.pair, (uint32_t)a->count},
                          (struct diff_list){right.keys, right.pair, (uint32_t)b->count}, false);
    if (!error)
        join_lines(options, (const struct side_lines[DIFF_SIDES]){left, right}, diff);
    return error;
}

static int compare_lines(const struct diff_options *options, struct diff *diff)
{
    _cleanup_(lines_freep) struct query_lines *a = NULL;
    _cleanup_(lines_freep) struct query_lines *b = NULL;
    _cleanup_diff_match_ struct diff_match match = {0};
    int error = query_lines(options->views[DIFF_A], &options->queries[DIFF_A], &a);
    if (!error)
        error = query_lines(options->views[DIFF_B], &options->queries[DIFF_B], &b);
    if (!error)
        error = match_sides(options, a->count + b->count, &match, diff);
    if (error)
        return error;
    diff->total[DIFF_A] = a->total;
    diff->total[DIFF_B] = b->total;
    diff->unknown[DIFF_A] = a->unknown;
    diff->unknown[DIFF_B] = b->unknown;
    return align_lines(options, &match, a, b, diff);
}

/* --- the answer ------------------------------------------------------------------------------- */

static int set_evidence(const struct diff_options *options, struct diff *diff)
{
    enum query_sort sort = compared(options);
    for (size_t i = 0; i < diff->count; i++) {
        const struct diff_place *a = &diff->rows[i].sides[DIFF_A];
        const struct diff_place *b = &diff->rows[i].sides[DIFF_B];
        diff->rows[i].evidence = diff_evidence_of(share_of(a, sort, diff->total[DIFF_A]),
                                                  share_of(b, sort, diff->total[DIFF_B]));
    }
    return diff_evidence_adjust(diff->rows, diff->count);
}

/* After all rows were tested together: what is significant does not depend on what is shown. */
static void keep_file(struct diff *diff)
{
    size_t count = 0;
    for (size_t i = 0; i < diff->count; i++) {
        const struct diff_place *sides = diff->rows[i].sides;
        if (sides[DIFF_B].file == diff->files[DIFF_B] ||
            (diff->files[DIFF_A] && sides[DIFF_A].file == diff->files[DIFF_A]))
            diff->rows[count++] = diff->rows[i];
    }
    diff->count = count;
}

static int descending(double left, double right)
{
    return (left < right) - (left > right);
}

static int ascending_ids(const struct diff_row *left, const struct diff_row *right)
{
    for (int side = DIFF_B; side >= DIFF_A; side--) {
        const struct diff_place *a = &left->sides[side], *b = &right->sides[side];
        int order = query_id_compare(a->file, b->file);
        if (!order)
            order = query_id_compare(a->line, b->line);
        if (!order)
            order = query_id_compare(a->function, b->function);
        if (order)
            return order;
    }
    return 0;
}

static int compare_rows(const void *a, const void *b, void *user)
{
    const struct diff_options *options = user;
    const struct diff_row *left = a, *right = b;
    enum query_sort sort = compared(options);
    int order = 0;
    switch (options->sort) {
    case DIFF_SORT_DELTA:
        break;
    case DIFF_SORT_P:
        order = descending(right->evidence.p_value, left->evidence.p_value);
        break;
    case DIFF_SORT_A:
    case DIFF_SORT_B: {
        int side = options->sort == DIFF_SORT_A ? DIFF_A : DIFF_B;
        order = query_cost_compare(&left->sides[side].cost, &right->sides[side].cost, sort);
        break;
    }
    }
    if (!order)
        order = descending(fabs(left->evidence.delta), fabs(right->evidence.delta));
    if (!order)
        order = query_cost_compare(&left->sides[DIFF_B].cost, &right->sides[DIFF_B].cost, sort);
    return order ? order : ascending_ids(left, right);
}

/* Behind which of b's lines a line is that only a has. */
static uint32_t anchor(const struct diff *diff, uint32_t a_line)
{
    size_t low = 0, high = diff->run_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (diff->runs[middle].a < a_line)
            low = middle + 1;
        else
            high = middle;
    }
    if (!diff->run_count)
        return a_line;
    return low ? diff->runs[low - 1].b + diff->runs[low - 1].count - 1 : 0;
}

static int compare_by_line(const void *a, const void *b, void *user)
{
    const struct diff *diff = user;
    const struct diff_row *left = a, *right = b;
    uint32_t left_line = left->sides[DIFF_B].line, right_line = right->sides[DIFF_B].line;
    int order = query_id_compare(left_line ? left_line : anchor(diff, left->sides[DIFF_A].line),
                                 right_line ? right_line : anchor(diff, right->sides[DIFF_A].line));
    if (!order)
        order = (right_line != 0) - (left_line != 0);
    return order ? order : ascending_ids(left, right);
}

static void sort_rows(const struct diff_options *options, struct diff *diff)
{
    if (options->file) {
        keep_file(diff);
        qsort_r(diff->rows, diff->count, sizeof *diff->rows, compare_by_line, diff);
    } else {
        qsort_r(diff->rows, diff->count, sizeof *diff->rows, compare_rows,
                (void *)(uintptr_t)options);
    }
}

int query_diff(const struct diff_options *options, struct diff **ret_diff)
{
    _cleanup_(diff_freep) struct diff *diff = calloc(1, sizeof *diff);
    if (!diff)
        return -ENOMEM;
    int error = options->kind == DIFF_LINES ? compare_lines(options, diff)
                                            : compare_functions(options, diff);
    if (!error)
        error = set_evidence(options, diff);
    if (error)
        return error;
    sort_rows(options, diff);
    for (size_t i = 0; i < diff->count; i++)
        diff->significant_count += diff->rows[i].evidence.significant;
    *ret_diff = take_pointer(diff);
    return 0;
}

void query_diff_free(struct diff *diff)
{
    if (!diff)
        return;
    free(diff->rows);
    free(diff->runs);
    free(diff);
}
