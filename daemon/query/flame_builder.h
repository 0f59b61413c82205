/* Merging the stacks of a walk into a flame graph. */
#pragma once

#include "query/flame_sites.h"

/*
 * Fills the columns of *graph but file and line. With `sites` (else NULL) frames merge by them, and
 * graph->function holds sites instead of functions. `center` says for each of the frames whether it
 * is the one to begin at (shape->center), or is NULL. 0 or -ENOMEM. With max_nodes the largest
 * nodes are found first, so that no more than the answer is made.
 */
int flame_build(const struct query_walk *walk, const struct query_frames *frames,
                const struct flame_sites *sites, const struct query_flamegraph_options *shape,
                const unsigned char *center, struct query_flamegraph *graph);
