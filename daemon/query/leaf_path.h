/* Stacks that end with a path, from caller to leaf. */
#pragma once

#include "query/frames.h"

/*
 * Sets nodes[i] for each node of the view whose stack ends with the path "a;b;c;": its leaf is c,
 * called by b, called by a, as an inverted flame graph with the same options->inlines and
 * hide_kernel shows them. "\;" and "\\" are a ';' and a '\' of a name. No element may be empty.
 * Others are left as they are. 0 or -ENOMEM. Needs the symbols' lock.
 * O(nodes * log elements + functions * log elements), whatever recurs.
 */
int leaf_path_mark(const struct profile_view *view, const struct query_options *options,
                   const char *path, unsigned char *nodes);
