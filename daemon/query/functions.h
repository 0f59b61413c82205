/* The function table's inside, for queries that need more than its rows. */
#pragma once

#include "query/frames.h"

/* query_functions() of a walk that was done already, with options->sort. 0 or -ENOMEM. */
int query_functions_of_walk(const struct query_walk *walk, const struct query_frames *frames,
                            enum query_sort sort, struct query_functions **ret_functions);

/* Puts the rows in the table's order. 0 or -ENOMEM. */
int query_functions_rank(struct query_functions *functions, enum query_sort sort);

static inline void query_functions_cleanup(struct query_functions **functions)
{
    query_functions_free(*functions);
}

#define _cleanup_query_functions_ __attribute__((cleanup(query_functions_cleanup)))
