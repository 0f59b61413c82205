/* Lists units with libdw and maps their address ranges. */
#include "symbol/unit_index.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/dwarf_reader.h"
#include "base/reader.h"
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

/* What reading an index needs on its way. */
struct indexing {
    struct debug_image *image; /* borrowed */
    uint64_t text_vaddr;
    const struct unit_visitor *visitor; /* borrowed, or NULL */
    struct unit_index index;            /* owned */
    struct ranges ranges;               /* owned */
};

static int add_unit(struct indexing *indexing, const struct unit_header *unit, Dwarf_Die *die)
{
    struct unit_index *index = &indexing->index;
    struct ranges *ranges = &indexing->ranges;
    size_t before = ranges->count;
    uint32_t position = (uint32_t)index->count;
    int error = add_die_ranges(die, indexing->text_vaddr, position, ranges);
    if (!error && !dwarf_hasattr(die, DW_AT_ranges) && !dwarf_hasattr(die, DW_AT_low_pc))
        error = add_line_ranges(indexing->image, die, indexing->text_vaddr, position, ranges);
    if (error || ranges->count == before)
        return error;
    if (array_reserve(&index->units, &index->capacity, index->count + 1, sizeof *index->units))
        return -ENOMEM;
    index->units[index->count++] = *unit;
    const struct unit_visitor *visitor = indexing->visitor;
    return visitor
               ? visitor->visit(visitor->user, unit, ranges->items + before, ranges->count - before)
               : 0;
}

/* Its length comes first (DWARF 5 §7.5.1), and all of it may be read afterwards. */
static int wait_for_unit(struct debug_image *image, struct span info, uint64_t offset)
{
    int error = debug_image_wait(image, offset + sizeof(uint32_t) + sizeof(uint64_t));
    if (error || offset >= info.length)
        return error;
    struct reader reader = span_reader(info, offset);
    uint64_t bytes = reader_u32(&reader);
    if (bytes == UINT32_MAX)
        bytes = reader_u64(&reader);
    bool is_beyond = bytes > reader_left(&reader);
    return debug_image_wait(image, is_beyond ? info.length : reader.offset + bytes);
}

static int next_unit(struct indexing *indexing, struct span info, uint64_t offset,
                     struct unit_header *ret_unit, Dwarf_Off *ret_next)
{
    struct unit_header unit = {.offset = offset};
    Dwarf *dwarf = indexing->image->dwarf;
    size_t header_bytes;
    int error = wait_for_unit(indexing->image, info, offset);
    if (error)
        return error;
    if (dwarf_next_unit(dwarf, offset, ret_next, &header_bytes, &unit.version, &unit.abbreviations,
                        &unit.address_bytes, &unit.offset_bytes, NULL, NULL))
        return -ENOENT;
    unit.first_die = offset + header_bytes;
    unit.end = *ret_next;
    *ret_unit = unit;
    return 0;
}

static int read_units(struct indexing *indexing)
{
    struct span info;
    info.bytes = debug_image_section(indexing->image, ".debug_info", &info.length);
    Dwarf_Off offset = 0;
    struct unit_header unit;
    int error = 0;
    while (!error && indexing->index.count < RANGE_NONE) {
        error = next_unit(indexing, info, offset, &unit, &offset);
        Dwarf_Die die;
        if (error || !dwarf_offdie(indexing->image->dwarf, unit.first_die, &die))
            continue;
        int tag = dwarf_tag(&die);
        if (tag == DW_TAG_compile_unit || tag == DW_TAG_skeleton_unit)
            error = add_unit(indexing, &unit, &die);
    }
    return error == -ENOENT ? 0 : error;
}

int unit_index_read(struct debug_image *image, uint64_t text_vaddr,
                    const struct unit_visitor *visitor, struct unit_index *ret_index)
{
    struct indexing indexing = {.image = image, .text_vaddr = text_vaddr, .visitor = visitor};
    struct ranges *ranges = &indexing.ranges;
    int error = read_units(&indexing);
    if (!error)
        error = debug_image_wait(image, UINT64_MAX);
    ranges_order_by_start(ranges->items, ranges->count);
    if (!error)
        error = range_map_build(ranges->items, ranges->count, &indexing.index.map);
    free(ranges->items);
    if (error)
        unit_index_free(&indexing.index);
    else
        *ret_index = indexing.index;
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
