/* Lists units with libdw and maps their address ranges. */
#include "symbol/unit_index.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/dwarf_reader.h"
#include "base/reader.h"
#include "symbol/line_table.h"
#include "symbol/range_list.h"
#include "symbol/unit.h"

#define RANGES_MAX (1u << 24)

/*
 * Units may all name the same list of ranges, line program or abbreviations. This is what is read
 * of the former two for all of them together, a multiple of what those of any program have, and
 * of abbreviations, which libdw keeps for each unit, ten times as large.
 */
#define LISTS_BYTES_MAX (UINT64_C(256) << 20)
#define ABBREVIATIONS_BYTES_MAX (UINT64_C(16) << 20)

struct ranges {
    struct range *items; /* owned */
    size_t count, capacity;
};

/* What reading an index needs on its way. */
struct indexing {
    struct debug_image *image; /* borrowed */
    uint64_t text_vaddr;
    const struct unit_visitor *visitor;        /* borrowed, or NULL */
    const struct cancel *cancel;               /* borrowed, or NULL */
    struct span info, abbreviations;           /* borrowed */
    uint64_t lists_bytes, abbreviations_bytes; /* that were read so far */
    struct unit_index index;                   /* owned */
    struct ranges ranges;                      /* owned */
};

/* Of the unit that comes next. */
static int add_range(struct indexing *indexing, uint64_t start, uint64_t end)
{
    struct ranges *ranges = &indexing->ranges;
    uint32_t unit = (uint32_t)indexing->index.count;
    if (start < indexing->text_vaddr || end <= start || ranges->count >= RANGES_MAX)
        return 0;
    if (array_reserve(&ranges->items, &ranges->capacity, ranges->count + 1, sizeof(struct range)))
        return -ENOMEM;
    ranges->items[ranges->count++] =
        (struct range){.start = start, .end = end, .value = unit, .order = unit};
    return 0;
}

/* Of the unit at hand, which is left out. */
static int note_damage(struct indexing *indexing)
{
    indexing->index.is_damaged = true;
    return 0;
}

static int add_listed_ranges(struct indexing *indexing, const struct unit_header *unit,
                             Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;
    struct range_list list;
    uint64_t start, end;
    int error = 0;
    if (dwarf_formudata(dwarf_attr(die, DW_AT_ranges, &attribute), &value))
        return note_damage(indexing);
    struct unit_data data = unit_describe(indexing->image, unit, die);
    range_list_start(&list, &data, value, attribute.form == DW_FORM_rnglistx);
    uint64_t from = list.reader.offset;
    while (!error && indexing->lists_bytes + (list.reader.offset - from) < LISTS_BYTES_MAX &&
           range_list_next(&list, &start, &end))
        error = add_range(indexing, start, end);
    indexing->lists_bytes += list.reader.offset - from;
    indexing->index.is_damaged |= list.reader.failed || indexing->lists_bytes >= LISTS_BYTES_MAX;
    return error;
}

static int add_rows(struct indexing *indexing, const struct line_table *lines)
{
    int error = 0;
    for (size_t i = 0, first = 0; i < lines->count && !error; i++) {
        if (lines->rows[i].file != LINE_FILE_NONE)
            continue;
        error = add_range(indexing, lines->base + lines->rows[first].offset,
                          lines->base + lines->rows[i].offset);
        first = i + 1;
    }
    return error;
}

/*
 * A unit whose root has no range of its own (some assemblers and linkers leave it out) is where
 * its line table's rows are.
 */
static int add_line_ranges(struct indexing *indexing, Dwarf_Die *die)
{
    struct line_sections sections = debug_image_line_sections(indexing->image);
    struct line_header header;
    struct line_table lines = {0};
    Dwarf_Attribute attribute;
    Dwarf_Word offset;
    if (!dwarf_attr(die, DW_AT_stmt_list, &attribute))
        return 0;
    if (indexing->lists_bytes >= LISTS_BYTES_MAX || dwarf_formudata(&attribute, &offset))
        return note_damage(indexing);
    indexing->lists_bytes += line_header_extent(&sections, offset);
    int error = line_header_read(&sections, offset, &header);
    if (error)
        return error == -ENOMEM ? error : note_damage(indexing);
    error = line_table_read(&header, indexing->text_vaddr, &lines);
    indexing->index.is_damaged |= lines.is_damaged;
    if (!error)
        error = add_rows(indexing, &lines);
    line_table_free(&lines);
    line_header_free(&header);
    return error;
}

static int add_ranges(struct indexing *indexing, const struct unit_header *unit, Dwarf_Die *die)
{
    Dwarf_Addr start, end;
    if (dwarf_lowpc(die, &start) == 0 && dwarf_highpc(die, &end) == 0)
        return add_range(indexing, start, end);
    if (dwarf_hasattr(die, DW_AT_ranges))
        return add_listed_ranges(indexing, unit, die);
    if (dwarf_hasattr(die, DW_AT_low_pc))
        return dwarf_hasattr(die, DW_AT_high_pc) ? note_damage(indexing) : 0;
    return add_line_ranges(indexing, die);
}

static int add_unit(struct indexing *indexing, const struct unit_header *unit, Dwarf_Die *die)
{
    struct unit_index *index = &indexing->index;
    struct ranges *ranges = &indexing->ranges;
    size_t before = ranges->count;
    int error = add_ranges(indexing, unit, die);
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

static void skip_abbreviation(struct reader *reader)
{
    reader_uleb(reader); /* tag */
    reader_u8(reader);   /* has children */
    for (uint64_t name = 1, form = 1; (name || form) && !reader->failed;) {
        name = reader_uleb(reader);
        form = reader_uleb(reader);
        if (form == DW_FORM_implicit_const)
            reader_sleb(reader);
    }
}

/* Whether libdw may read abbreviations up to that of the unit's root. */
static bool may_read_root(struct indexing *indexing, const struct unit_header *unit)
{
    struct reader die = span_reader(indexing->info, unit->first_die);
    struct reader reader = span_reader(indexing->abbreviations, unit->abbreviations);
    uint64_t wanted = reader_uleb(&die), from = reader.offset, code;
    uint64_t left = ABBREVIATIONS_BYTES_MAX - indexing->abbreviations_bytes;
    do {
        code = reader_uleb(&reader);
        if (code && code != wanted)
            skip_abbreviation(&reader);
    } while (code && code != wanted && !reader.failed && reader.offset - from < left);
    bool is_much = reader.offset - from >= left;
    indexing->abbreviations_bytes += is_much ? left : reader.offset - from;
    return !is_much;
}

/* Where a unit ends, or a null entry stands, there is no root. */
static bool is_empty(struct span info, const struct unit_header *unit)
{
    return unit->first_die >= unit->end || unit->first_die >= info.length ||
           info.bytes[unit->first_die] == 0;
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

/* Why there is no unit at that offset: zeros up to the end are left by some linkers. */
static int missing_unit(struct indexing *indexing, uint64_t offset)
{
    struct span info = indexing->info;
    int error = debug_image_wait(indexing->image, UINT64_MAX);
    while (!error && offset < info.length && info.bytes[offset] == 0)
        offset++;
    if (!error && offset < info.length)
        note_damage(indexing);
    return error ? error : -ENOENT;
}

/* -ENOENT where there is none any more. */
static int next_unit(struct indexing *indexing, uint64_t offset, struct unit_header *ret_unit,
                     Dwarf_Off *ret_next)
{
    struct unit_header unit = {.offset = offset};
    Dwarf *dwarf = indexing->image->dwarf;
    size_t header_bytes;
    int error = wait_for_unit(indexing->image, indexing->info, offset);
    if (error)
        return error;
    int end =
        dwarf_next_unit(dwarf, offset, ret_next, &header_bytes, &unit.version, &unit.abbreviations,
                        &unit.address_bytes, &unit.offset_bytes, NULL, NULL);
    if (end)
        return end > 0 ? -ENOENT : missing_unit(indexing, offset);
    unit.first_die = offset + header_bytes;
    unit.end = *ret_next;
    /* Then others are hidden by it. */
    indexing->index.is_damaged |= unit.end > indexing->info.length;
    *ret_unit = unit;
    return 0;
}

static int read_unit(struct indexing *indexing, const struct unit_header *unit)
{
    Dwarf_Die die;
    if (!may_read_root(indexing, unit) ||
        !dwarf_offdie(indexing->image->dwarf, unit->first_die, &die))
        return note_damage(indexing);
    int tag = dwarf_tag(&die);
    if (tag == DW_TAG_compile_unit || tag == DW_TAG_skeleton_unit)
        return add_unit(indexing, unit, &die);
    return tag == DW_TAG_invalid && !is_empty(indexing->info, unit) ? note_damage(indexing) : 0;
}

static int read_units(struct indexing *indexing)
{
    Dwarf_Off offset = 0;
    struct unit_header unit = {0};
    int error = 0;
    while (!error && indexing->index.count < RANGE_NONE) {
        error = cancel_is_wanted(indexing->cancel) ? -ECANCELED
                                                   : next_unit(indexing, offset, &unit, &offset);
        if (!error)
            error = read_unit(indexing, &unit);
    }
    return error == -ENOENT ? 0 : error;
}

int unit_index_read(struct debug_image *image, uint64_t text_vaddr,
                    const struct unit_visitor *visitor, const struct cancel *cancel,
                    struct unit_index *ret_index)
{
    struct indexing indexing = {
        .image = image,
        .text_vaddr = text_vaddr,
        .visitor = visitor,
        .cancel = cancel,
        .info = debug_image_span(image, ".debug_info"),
        .abbreviations = debug_image_span(image, ".debug_abbrev"),
    };
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
