/* Writes the map from addresses to units down, and checks what was written. */
#include "symbol/stored_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* In front of starts and offsets, 8 bytes each, and values, 4 bytes each. */
struct stored_index_header {
    uint32_t range_count, unit_count;
};

static void put(unsigned char **cursor, const void *bytes, size_t length)
{
    if (length)
        memcpy(*cursor, bytes, length);
    *cursor += length;
}

int stored_index_build(const struct unit_index *index, unsigned char **ret_bytes,
                       size_t *ret_length)
{
    const struct range_map *map = &index->map;
    if (map->count > UINT32_MAX || index->count > UINT32_MAX)
        return -ENOTSUP;
    const struct stored_index_header header = {(uint32_t)map->count, (uint32_t)index->count};
    size_t length = sizeof header + map->count * (sizeof *map->starts + sizeof *map->values) +
                    index->count * sizeof(uint64_t);
    unsigned char *bytes = malloc(length), *cursor = bytes;
    if (!bytes)
        return -ENOMEM;
    put(&cursor, &header, sizeof header);
    put(&cursor, map->starts, map->count * sizeof *map->starts);
    for (size_t i = 0; i < index->count; i++)
        put(&cursor, &index->units[i].offset, sizeof(uint64_t));
    put(&cursor, map->values, map->count * sizeof *map->values);
    *ret_bytes = bytes;
    *ret_length = length;
    return 0;
}

static bool is_sane(const struct stored_index *index)
{
    const struct range_map *map = &index->map;
    for (size_t i = 0; i < map->count; i++)
        if ((i > 0 && map->starts[i] <= map->starts[i - 1]) ||
            (map->values[i] != RANGE_NONE && map->values[i] >= index->count))
            return false;
    return true;
}

/* A copy, because in the file it need not be aligned. NULL when there is no memory. */
static void *copy(struct reader *reader, size_t count, size_t bytes)
{
    void *array = calloc(count + 1, bytes);
    const void *taken = array && count ? reader_take(reader, count * bytes) : NULL;
    if (taken)
        memcpy(array, taken, count * bytes);
    return array;
}

int stored_index_open(const unsigned char *bytes, size_t length, struct stored_index *ret_index)
{
    struct reader reader = {.bytes = bytes, .length = length};
    size_t range_count = reader_u32(&reader), unit_count = reader_u32(&reader);
    if (reader.failed || reader_left(&reader) != range_count * 12 + unit_count * 8)
        return -EBADMSG;
    _cleanup_(stored_index_free) struct stored_index index = {.count = unit_count};
    index.map.count = index.map.capacity = range_count;
    index.map.starts = copy(&reader, range_count, sizeof *index.map.starts);
    index.offsets = copy(&reader, unit_count, sizeof *index.offsets);
    index.map.values = copy(&reader, range_count, sizeof *index.map.values);
    if (!index.map.starts || !index.offsets || !index.map.values)
        return -ENOMEM;
    if (!is_sane(&index))
        return -EBADMSG;
    *ret_index = index;
    index = (struct stored_index){0};
    return 0;
}

size_t stored_index_bytes(const struct stored_index *index)
{
    return range_map_bytes(&index->map) + index->count * sizeof *index->offsets;
}

void stored_index_free(struct stored_index *index)
{
    range_map_free(&index->map);
    free(index->offsets);
    *index = (struct stored_index){0};
}
