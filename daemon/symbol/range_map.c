/* Makes ranges disjoint with a sweep over their starts and a heap of those that are open. */
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

void ranges_order_by_start(struct range *ranges, size_t count)
{
    ranges_sort(ranges, count);
    for (size_t i = 0; i < count; i++)
        ranges[i].order = i < UINT32_MAX ? (uint32_t)i : UINT32_MAX;
}

/* The open ranges, highest order first; some further down may have ended already. */
struct heap {
    const struct range **items; /* owned */
    size_t count;
};

static void heap_push(struct heap *heap, const struct range *range)
{
    size_t at = heap->count++;
    for (; at > 0 && heap->items[(at - 1) / 2]->order < range->order; at = (at - 1) / 2)
        heap->items[at] = heap->items[(at - 1) / 2];
    heap->items[at] = range;
}

static void heap_pop(struct heap *heap)
{
    const struct range *last = heap->items[--heap->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count && heap->items[child + 1]->order > heap->items[child]->order)
            child++;
        if (heap->items[child]->order <= last->order)
            break;
        heap->items[at] = heap->items[child];
    }
    heap->items[at] = last;
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

/* Closes the ranges that count and end at or before `vaddr`. */
static void close_until(struct range_map *map, struct heap *heap, uint64_t vaddr)
{
    while (heap->count && heap->items[0]->end <= vaddr) {
        uint64_t end = heap->items[0]->end;
        while (heap->count && heap->items[0]->end <= end)
            heap_pop(heap);
        emit(map, end, heap->count ? heap->items[0]->value : RANGE_NONE);
    }
}

static void free_heap(struct heap *heap)
{
    free(heap->items);
}

int range_map_build(struct range *ranges, size_t count, struct range_map *ret_map)
{
    if (count == 0) {
        *ret_map = (struct range_map){0};
        return 0;
    }
    if (count > SIZE_MAX / sizeof(uint64_t) / 2)
        return -ENOMEM;
    _cleanup_(free_heap) struct heap heap = {.items = calloc(count, sizeof(struct range *))};
    _cleanup_(range_map_free) struct range_map map = {
        .starts = calloc(count * 2, sizeof *map.starts),
        .values = calloc(count * 2, sizeof *map.values),
        .capacity = count * 2,
    };
    if (!heap.items || !map.starts || !map.values)
        return -ENOMEM;

    ranges_sort(ranges, count);
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].end <= ranges[i].start)
            continue;
        close_until(&map, &heap, ranges[i].start);
        heap_push(&heap, &ranges[i]);
        emit(&map, ranges[i].start, heap.items[0]->value);
    }
    close_until(&map, &heap, UINT64_MAX);

    *ret_map = map;
    map = (struct range_map){0};
    return 0;
}

/* How many boundaries are at or below vaddr. */
static size_t count_starts(const struct range_map *map, uint64_t vaddr)
{
    size_t low = 0, high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (map->starts[middle] <= vaddr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t range_map_find(const struct range_map *map, uint64_t vaddr)
{
    size_t count = count_starts(map, vaddr);
    return count ? map->values[count - 1] : RANGE_NONE;
}

uint64_t range_map_start(const struct range_map *map, uint64_t vaddr)
{
    size_t count = count_starts(map, vaddr);
    return count ? map->starts[count - 1] : 0;
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
