/* From addresses to the innermost of many nested ranges, by one binary search. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RANGE_NONE UINT32_MAX

/* [start, end) means `value`. Of ranges that start together the one with the highest order wins. */
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
 * Flattens ranges (sorted here, in place) so that the one that started last covers the others.
 * 0 or -ENOMEM. O(n log n) whatever the ranges are: they come from files that may lie.
 */
int range_map_build(struct range *ranges, size_t count, struct range_map *ret_map);

/* The value at `vaddr`, or RANGE_NONE. O(log n). */
uint32_t range_map_find(const struct range_map *map, uint64_t vaddr);

/* Sorts by start, then order. Does nothing when they are in order already. */
void ranges_sort(struct range *ranges, size_t count);

size_t range_map_bytes(const struct range_map *map);
void range_map_free(struct range_map *map);
