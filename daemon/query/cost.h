/* Counts while a query works, and the numbers of a row that they become. */
#pragma once

#include "lprofd/query.h"

/* Samples and their scaled time. */
struct query_count {
    uint64_t hits, time_ns;
};

static inline void query_count_add(struct query_count *to, struct query_count count)
{
    to->hits += count.hits;
    to->time_ns += count.time_ns;
}

/* The share (0 to 1) of `all`: of time, or of hits when the samples have no weight. */
double query_share(struct query_count count, struct query_total all);

/*
 * So many samples a share is known from: of `all_hits`, or fewer where `hits` of them stand for
 * more than their part. Few that stand for much time tell no more than few.
 */
uint64_t query_samples_behind(uint64_t hits, double share, uint64_t all_hits);

/* All numbers of a row: percentages of `all`, and the interval of the column `sort`. */
struct query_cost query_cost_make(struct query_count self, struct query_count total,
                                  struct query_total all, enum query_sort sort);

/* For qsort: the more expensive row first; 0 when both columns are equal. */
int query_cost_compare(const struct query_cost *left, const struct query_cost *right,
                       enum query_sort sort);

/* For qsort: ascending ids. */
static inline int query_id_compare(uint32_t left, uint32_t right)
{
    return (left > right) - (left < right);
}
