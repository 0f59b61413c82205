/* From addresses to the one of many overlapping ranges that counts, by one binary search. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RANGE_NONE UINT32_MAX

/* [start, end) means `value`, where no range of a higher order says otherwise. */
struct range {
    uint64_t start, end;
    uint32_t value;
    uint32_t order;
};

/* Disjoint and sorted: [starts[i], starts[i + 1]) means values[i], which may be RANGE_NONE. */
struct range_map {
    uint64_t *starts; /* owned */
    uint32_t *values; /* owned */
    size_t count, capacity;
};

/*
 * Makes overlapping ranges (sorted here, in place) disjoint: at each address the highest order
 * wins. 0 or -ENOMEM. O(n log n) whatever the ranges are: they come from files that may lie.
 */
int range_map_build(struct range *ranges, size_t count, struct range_map *ret_map);

/* The value at `vaddr`, or RANGE_NONE. O(log n). */
uint32_t range_map_find(const struct range_map *map, uint64_t vaddr);

/* Where what the map says of `vaddr` begins to hold; 0 below all ranges. O(log n). */
uint64_t range_map_start(const struct range_map *map, uint64_t vaddr);

/* Sorts by start, then order. */
void ranges_sort(struct range *ranges, size_t count);

/*
 * Sorts by start, then order, and numbers the orders anew: what starts last wins, as with nested
 * ranges.
 */
void ranges_order_by_start(struct range *ranges, size_t count);

size_t range_map_bytes(const struct range_map *map);
void range_map_free(struct range_map *map);
