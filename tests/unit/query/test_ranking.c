/* The order of tables, against qsort with the comparison that the order is defined by. */
#include "fixture.h"
#include "query/ranking.h"

#define ROWS 5000

static uint64_t id_of(const void *row)
{
    const struct query_line *line = row;
    return (uint64_t)line->file << 32 | line->line;
}

static const struct query_ranking ranking = {
    .row_bytes = sizeof(struct query_line),
    .cost_offset = offsetof(struct query_line, cost),
    .id = id_of,
};

/* `thread` is the position before sorting: what else is equal keeps its order. */
static int compare_rows(const void *a, const void *b, void *sort)
{
    const struct query_line *left = a, *right = b;
    int order = query_cost_compare(&left->cost, &right->cost, *(const enum query_sort *)sort);
    if (!order)
        order = query_id_compare(left->file, right->file);
    if (!order)
        order = query_id_compare(left->line, right->line);
    return order ? order : query_id_compare(left->thread, right->thread);
}

static uint64_t random_below(uint64_t *state, uint64_t limit)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % limit;
}

/* Few values make many ties, up to the very last key; shifts reach every byte of a key. */
static void make_rows(struct query_line *rows, size_t count, uint64_t values, unsigned shift)
{
    uint64_t state = count + values + shift;
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct query_line){
            .file = (uint32_t)(random_below(&state, values) << shift / 2),
            .line = (uint32_t)random_below(&state, values),
            .thread = (uint32_t)i,
            .cost = {.self_hits = random_below(&state, values),
                     .total_hits = random_below(&state, values),
                     .self_time_ns = random_below(&state, values) << shift,
                     .total_time_ns = random_below(&state, values) << shift},
        };
}

static void check(size_t count, uint64_t values, unsigned shift, enum query_sort sort)
{
    static struct query_line rows[ROWS], wanted[ROWS];
    make_rows(rows, count, values, shift);
    make_rows(wanted, count, values, shift);
    qsort_r(wanted, count, sizeof *wanted, compare_rows, &sort);
    assert_int_equal(query_rank(rows, count, &ranking, sort), 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].thread, wanted[i].thread);
        assert_int_equal(rows[i].cost.total_hits, wanted[i].cost.total_hits);
    }
}

static void rows_stand_as_a_comparison_puts_them(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 3, 100, ROWS};
    static const uint64_t values[] = {1, 2, 3, 300, UINT32_MAX};
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 5; j++)
            for (unsigned shift = 0; shift <= 32; shift += 8) {
                check(counts[i], values[j], shift, QUERY_SORT_SELF);
                check(counts[i], values[j], shift, QUERY_SORT_TOTAL);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_stand_as_a_comparison_puts_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
