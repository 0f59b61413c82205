/* The order of tables: the most expensive row first. */
#pragma once

#include <stdint.h>

#include "query/cost.h"

/* Any kind of row that has a struct query_cost. */
struct query_ranking {
    size_t row_bytes, cost_offset;
    uint64_t (*id)(const void *row); /* of rows with the same costs the one with the smaller id */
};

/*
 * Sorts `rows` in place by the column `sort`, time before hits, then by the other column, then by
 * id; rows that are equal in all of these keep their order. 0 or -ENOMEM (rows untouched).
 * O(count): a radix sort (Knuth, TAOCP 3, 5.2.5).
 */
int query_rank(void *rows, size_t count, const struct query_ranking *ranking, enum query_sort sort);
