/* Flattens nested ranges with a sweep and a stack. */
#include "symbol/range_map.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"

static int compare(const void *left_item, const void *right_item)
{
    const struct range *left = left_item, *right = right_item;
    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

void ranges_sort(struct range *ranges, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (compare(&ranges[i - 1], &ranges[i]) > 0) {
            qsort(ranges, count, sizeof *ranges, compare);
            return;
        }
    }
}

/* The arrays have room for two boundaries per range. */
static void emit(struct range_map *map, uint64_t start, uint32_t value)
{
    if (map->count && map->starts[map->count - 1] == start)
        map->count--;
    if (map->count && map->values[map->count - 1] == value)
        return;
    map->starts[map->count] = start;
    map->values[map->count] = value;
    map->count++;
}

/* Closes the ranges that end at or before `vaddr`; those below may have ended earlier already. */
static size_t close_until(struct range_map *map, const struct range **stack, size_t depth,
                          uint64_t vaddr)
{
    while (depth && stack[depth - 1]->end <= vaddr) {
        uint64_t end = stack[--depth]->end;
        while (depth && stack[depth - 1]->end <= end)
            depth--;
        emit(map, end, depth ? stack[depth - 1]->value : RANGE_NONE);
    }
    return depth;
}

int range_map_build(struct range *ranges, size_t count, struct range_map *ret_map)
{
    if (count == 0) {
        *ret_map = (struct range_map){0};
        return 0;
    }
    if (count > SIZE_MAX / sizeof(uint64_t) / 2)
        return -ENOMEM;
    _cleanup_free_ const struct range **stack = calloc(count, sizeof(struct range *));
    _cleanup_(range_map_free) struct range_map map = {
        .starts = calloc(count * 2, sizeof *map.starts),
        .values = calloc(count * 2, sizeof *map.values),
        .capacity = count * 2,
    };
    if (!stack || !map.starts || !map.values)
        return -ENOMEM;

    ranges_sort(ranges, count);
    size_t depth = 0;
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].end <= ranges[i].start)
            continue;
        depth = close_until(&map, stack, depth, ranges[i].start);
        stack[depth++] = &ranges[i];
        emit(&map, ranges[i].start, ranges[i].value);
    }
    close_until(&map, stack, depth, UINT64_MAX);

    *ret_map = map;
    map = (struct range_map){0};
    return 0;
}

uint32_t range_map_find(const struct range_map *map, uint64_t vaddr)
{
    size_t low = 0, high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (map->starts[middle] <= vaddr)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? map->values[low - 1] : RANGE_NONE;
}

size_t range_map_bytes(const struct range_map *map)
{
    return map->capacity * (sizeof *map->starts + sizeof *map->values);
}

void range_map_free(struct range_map *map)
{
    free(map->starts);
    free(map->values);
    *map = (struct range_map){0};
}
