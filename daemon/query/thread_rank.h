/* The threads that a query counts, by how busy they are. */
#pragma once

#include "query/cost.h"
#include "query/filter.h"

/* Per thread of the view (counts[thread_count], zeros at first), its samples; returns their sum. */
struct query_total query_count_threads(const struct profile_view *view,
                                       const struct query_filter *filter,
                                       struct query_count *counts);

/*
 * The threads (indices into view->threads) that have samples, busiest first; the caller frees
 * *ret_threads. 0 or -ENOMEM. O(entries + threads log threads).
 */
int query_rank_threads(const struct profile_view *view, const struct query_filter *filter,
                       uint32_t **ret_threads, size_t *ret_count);
