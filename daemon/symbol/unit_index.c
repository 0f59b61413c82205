/* Lists units with libdw and maps their address ranges. */
#include "symbol/unit_index.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "symbol/line_table.h"

#define RANGES_MAX (1u << 24)

struct ranges {
    struct range *items; /* owned */
    size_t count, capacity;
};

static int add_range(struct ranges *ranges, uint64_t start, uint64_t end, uint32_t value)
{
    if (ranges->count >= RANGES_MAX)
        return 0;
    if (array_reserve(&ranges->items, &ranges->capacity, ranges->count + 1, sizeof(struct range)))
        return -ENOMEM;
    ranges->items[ranges->count++] =
        (struct range){.start = start, .end = end, .value = value, .order = value};
    return 0;
}

static int add_die_ranges(Dwarf_Die *die, uint64_t text_vaddr, uint32_t value,
                          struct ranges *ranges)
{
    ptrdiff_t offset = 0;
    Dwarf_Addr base, start, end;
    while ((offset = dwarf_ranges(die, offset, &base, &start, &end)) > 0) {
        if (start < text_vaddr || end <= start)
            continue;
        int error = add_range(ranges, start, end, value);
        if (error)
            return error;
        if (ranges->count >= RANGES_MAX)
            return 0;
    }
    return 0;
}

static int add_row_ranges(const struct line_table *lines, uint32_t value, struct ranges *ranges)
{
    int error = 0;
    for (size_t i = 0, first = 0; i < lines->count && !error; i++) {
        if (lines->rows[i].file != LINE_FILE_NONE)
            continue;
        error = add_range(ranges, lines->base + lines->rows[first].offset,
                          lines->base + lines->rows[i].offset, value);
        first = i + 1;
    }
    return error;
}

/*
 * A unit whose root has no range of its own (some assemblers and linkers leave it out) is where
 * its line table's rows are.
 */
static int add_line_ranges(const struct debug_image *image, Dwarf_Die *die, uint64_t text_vaddr,
                           uint32_t value, struct ranges *ranges)
{
    struct line_sections sections = debug_image_line_sections(image);
    struct line_header header;
    struct line_table lines = {0};
    Dwarf_Attribute attribute;
    Dwarf_Word offset;
    if (dwarf_formudata(dwarf_attr(die, DW_AT_stmt_list, &attribute), &offset))
        return 0;
    int error = line_header_read(&sections, offset, &header);
    if (error)
        return error == -ENOMEM ? error : 0;
    error = line_table_read(&header, text_vaddr, &lines);
    if (!error)
        error = add_row_ranges(&lines, value, ranges);
    line_table_free(&lines);
    line_header_free(&header);
    return error;
}

static int add_unit(struct unit_index *index, const struct debug_image *image,
                    const struct unit_header *unit, Dwarf_Die *die, uint64_t text_vaddr,
                    struct ranges *ranges)
{
    size_t before = ranges->count;
    uint32_t position = (uint32_t)index->count;
    int error = add_die_ranges(die, text_vaddr, position, ranges);
    if (!error && !dwarf_hasattr(die, DW_AT_ranges) && !dwarf_hasattr(die, DW_AT_low_pc))
        error = add_line_ranges(image, die, text_vaddr, position, ranges);
    if (error || ranges->count == before)
        return error;
    if (array_reserve(&index->units, &index->capacity, index->count + 1, sizeof *index->units))
        return -ENOMEM;
    index->units[index->count++] = *unit;
    return 0;
}

static int read_units(const struct debug_image *image, uint64_t text_vaddr,
                      struct unit_index *index, struct ranges *ranges)
{
    Dwarf_Off offset = 0, next;
    size_t header_bytes;
    struct unit_header unit;
    while (index->count < RANGE_NONE &&
           dwarf_next_unit(image->dwarf, offset, &next, &header_bytes, &unit.version,
                           &unit.abbreviations, &unit.address_bytes, &unit.offset_bytes, NULL,
                           NULL) == 0) {
        unit.offset = offset;
        unit.first_die = offset + header_bytes;
        unit.end = next;
        offset = next;
        Dwarf_Die die;
        if (!dwarf_offdie(image->dwarf, unit.first_die, &die))
            continue;
        int tag = dwarf_tag(&die);
        if (tag != DW_TAG_compile_unit && tag != DW_TAG_skeleton_unit)
            continue;
        int error = add_unit(index, image, &unit, &die, text_vaddr, ranges);
        if (error)
            return error;
    }
    return 0;
}

int unit_index_read(const struct debug_image *image, uint64_t text_vaddr,
                    struct unit_index *ret_index)
{
    struct unit_index index = {0};
    struct ranges ranges = {0};
    int error = read_units(image, text_vaddr, &index, &ranges);
    ranges_order_by_start(ranges.items, ranges.count);
    if (!error)
        error = range_map_build(ranges.items, ranges.count, &index.map);
    free(ranges.items);
    if (error)
        unit_index_free(&index);
    else
        *ret_index = index;
    return error;
}

uint32_t unit_index_find(const struct unit_index *index, uint64_t vaddr)
{
    return range_map_find(&index->map, vaddr);
}

size_t unit_index_bytes(const struct unit_index *index)
{
    return index->capacity * sizeof *index->units + range_map_bytes(&index->map);
}

void unit_index_free(struct unit_index *index)
{
    free(index->units);
    range_map_free(&index->map);
    *index = (struct unit_index){0};
}
