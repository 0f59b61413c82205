/* Range lists of DWARF 5 (§7.25) and of versions before it (DWARF 4 §2.17.3). */
#include "symbol/range_list.h"

#include <dwarf.h>

#include "base/dwarf_reader.h"

/* The offset of the list with that index, which the section's table of offsets tells. */
static bool indexed_offset(const struct unit_data *unit, uint64_t index, uint64_t *ret_offset)
{
    uint64_t entry;
    if (__builtin_mul_overflow(index, unit->header.offset_bytes, &entry) ||
        __builtin_add_overflow(entry, unit->range_lists_base, &entry))
        return false;
    struct reader reader = span_reader(unit->range_lists, entry);
    uint64_t offset = reader_uint(&reader, unit->header.offset_bytes);
    return !reader.failed && !__builtin_add_overflow(offset, unit->range_lists_base, ret_offset);
}

void range_list_start(struct range_list *list, const struct unit_data *unit, uint64_t value,
                      bool is_index)
{
    bool is_new = unit->header.version >= 5;
    uint64_t offset = 0;
    bool found = is_index ? is_new && indexed_offset(unit, value, &offset)
                          : !__builtin_add_overflow(value, is_new ? 0 : unit->ranges_base, &offset);
    *list = (struct range_list){
        .unit = unit,
        .reader = span_reader(is_new ? unit->range_lists : unit->ranges, offset),
        .base = unit->low_pc,
    };
    list->reader.failed |= !found;
}

static uint64_t read_indexed(struct range_list *list)
{
    uint64_t vaddr = 0;
    if (!unit_data_address(list->unit, reader_uleb(&list->reader), &vaddr))
        list->reader.failed = true;
    return vaddr;
}

static uint64_t read_address(struct range_list *list)
{
    return reader_uint(&list->reader, list->unit->header.address_bytes);
}

/* One entry of DWARF 5: 1 for a range, 0 for a new base, -1 at the end. */
static int read_entry(struct range_list *list, uint64_t *start, uint64_t *end)
{
    struct reader *reader = &list->reader;
    switch (reader_u8(reader)) {
    case DW_RLE_base_addressx:
        list->base = read_indexed(list);
        return 0;
    case DW_RLE_base_address:
        list->base = read_address(list);
        return 0;
    case DW_RLE_startx_endx:
        *start = read_indexed(list);
        *end = read_indexed(list);
        return 1;
    case DW_RLE_startx_length:
        *start = read_indexed(list);
        *end = *start + reader_uleb(reader);
        return 1;
    case DW_RLE_offset_pair:
        *start = list->base + reader_uleb(reader);
        *end = list->base + reader_uleb(reader);
        return 1;
    case DW_RLE_start_end:
        *start = read_address(list);
        *end = read_address(list);
        return 1;
    case DW_RLE_start_length:
        *start = read_address(list);
        *end = *start + reader_uleb(reader);
        return 1;
    case DW_RLE_end_of_list:
        return -1;
    default:
        reader->failed = true;
        return -1;
    }
}

/* The same for the pairs of older versions, whose largest address says that a base follows. */
static int read_pair(struct range_list *list, uint64_t *start, uint64_t *end)
{
    uint8_t bytes = list->unit->header.address_bytes;
    uint64_t largest = bytes < 8 ? (UINT64_C(1) << 8 * bytes) - 1 : UINT64_MAX;
    uint64_t first = read_address(list), second = read_address(list);
    if (first == 0 && second == 0)
        return -1;
    if (first == largest) {
        list->base = second;
        return 0;
    }
    *start = list->base + first;
    *end = list->base + second;
    return 1;
}

bool range_list_next(struct range_list *list, uint64_t *ret_start, uint64_t *ret_end)
{
    bool is_new = list->unit->header.version >= 5;
    while (!list->reader.failed) {
        uint64_t start = 0, end = 0;
        int kind = is_new ? read_entry(list, &start, &end) : read_pair(list, &start, &end);
        if (kind < 0 || list->reader.failed)
            return false;
        if (kind == 0)
            continue;
        *ret_start = start;
        *ret_end = end;
        return true;
    }
    return false;
}
