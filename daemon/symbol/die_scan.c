/* One pass over a unit's DIEs: forms are stepped over, few attributes are kept. */
#include "symbol/die_scan.h"

#include <dwarf.h>
#include <errno.h>

#include "base/dwarf_reader.h"
#include "symbol/die_value.h"

int die_scan_start(struct die_scan *scan, const struct unit_data *unit,
                   const struct abbreviations *abbreviations)
{
    const struct unit_header *header = &unit->header;
    if (header->end > unit->info.length || header->first_die > header->end ||
        header->address_bytes > 8)
        return -EBADMSG;
    *scan = (struct die_scan){
        .unit = unit,
        .abbreviations = abbreviations,
        .lowest = UINT32_MAX,
        .wanted = DIE_HAS_CODE,
        .reader = {.bytes = unit->info.bytes, .length = header->end, .offset = header->first_die},
    };
    return 0;
}

/* What DW_AT_high_pc and the rest hold until all attributes of the DIE are read. */
struct pending_range {
    bool has_low, has_high, high_is_length;
};

static uint32_t clamp_u32(uint64_t value)
{
    return value > UINT32_MAX ? 0 : (uint32_t)value;
}

static void read_attribute(struct reader *reader, const struct unit_data *unit,
                           const struct abbreviation_attribute *attribute,
                           struct pending_range *range, struct scanned_die *die)
{
    uint32_t form = form_resolve(reader, attribute->form);
    switch (attribute->name) {
    case DW_AT_low_pc:
        range->has_low = die_value_address(reader, unit, form, &die->low);
        return;
    case DW_AT_high_pc:
        range->high_is_length = !die_value_is_address(form);
        range->has_high = true;
        if (range->high_is_length)
            die->high = die_value_constant(reader, &unit->header, attribute, form);
        else
            range->has_high = die_value_address(reader, unit, form, &die->high);
        return;
    case DW_AT_ranges:
        die->has_range_list = true;
        die->ranges_is_index = form == DW_FORM_rnglistx;
        die->ranges = die_value_constant(reader, &unit->header, attribute, form);
        return;
    case DW_AT_abstract_origin:
        (void)die_value_reference(reader, &unit->header, form, &die->origin);
        return;
    case DW_AT_call_file:
        die->call_file = clamp_u32(die_value_constant(reader, &unit->header, attribute, form));
        return;
    case DW_AT_call_line:
        die->call_line = clamp_u32(die_value_constant(reader, &unit->header, attribute, form));
        return;
    case DW_AT_call_column:
        die->call_column = clamp_u32(die_value_constant(reader, &unit->header, attribute, form));
        return;
    default:
        form_skip(reader, &unit->header, form);
    }
}

static void read_die(struct die_scan *scan, const struct abbreviation *abbreviation,
                     struct scanned_die *die)
{
    struct pending_range range = {0};
    for (uint32_t i = 0; i < abbreviation->attribute_count && !scan->reader.failed; i++)
        read_attribute(&scan->reader, scan->unit,
                       &scan->abbreviations->attributes[abbreviation->first_attribute + i], &range,
                       die);
    if (range.has_low && range.has_high && range.high_is_length)
        die->high += die->low;
    die->has_range = range.has_low && range.has_high && !die->has_range_list;
}

/* What a block takes is told by its first bytes; the rest is left to form_skip(). */
static inline void skip_value(struct reader *reader, const struct unit_header *unit,
                              const struct abbreviation_attribute *attribute)
{
    if (attribute->bytes != FORM_VARIABLE) {
        reader_take(reader, attribute->bytes);
    } else if (attribute->form == DW_FORM_exprloc) {
        reader_take(reader, reader_uleb(reader));
    } else {
        struct reader rest = *reader; /* so that the other one can stay in registers */
        form_skip(&rest, unit, attribute->form);
        *reader = rest;
    }
}

static inline void skip_die(const struct die_scan *scan, struct reader *reader,
                            const struct abbreviation *abbreviation)
{
    if (abbreviation->fixed_bytes != FORM_VARIABLE) {
        reader_take(reader, abbreviation->fixed_bytes);
        return;
    }
    const struct abbreviation_attribute *attributes =
        scan->abbreviations->attributes + abbreviation->first_attribute;
    for (uint32_t i = 0; i < abbreviation->attribute_count && !reader->failed; i++)
        skip_value(reader, &scan->unit->header, &attributes[i]);
}

/*
 * Steps to the next wanted DIE, right after its code: 1, 0 or -EBADMSG as die_scan_next(). Most
 * DIEs of a unit are met here only, so reader and depths are locals.
 */
static int find_die(struct die_scan *scan, const struct abbreviation **ret_abbreviation,
                    struct scanned_die *ret_die)
{
    struct reader reader = scan->reader;
    uint32_t depth = scan->depth, lowest = scan->lowest;
    int found = 0;
    while (reader_left(&reader)) {
        uint64_t offset = reader.offset;
        uint64_t code = reader_uleb(&reader);
        if (code == 0) {
            /* The null entry that ends a list of children; one too many ends the unit. */
            if (depth <= 1)
                break;
            depth--;
            continue;
        }
        const struct abbreviation *abbreviation = abbreviations_get(scan->abbreviations, code);
        if (!abbreviation) {
            found = -EBADMSG;
            break;
        }
        lowest = depth < lowest ? depth : lowest;
        uint32_t own_depth = depth;
        depth += abbreviation->has_children;
        if (abbreviation->kinds & scan->wanted) {
            *ret_abbreviation = abbreviation;
            *ret_die = (struct scanned_die){
                .offset = offset, .tag = abbreviation->tag, .depth = own_depth, .enclosed = lowest};
            lowest = UINT32_MAX;
            found = 1;
            break;
        }
        skip_die(scan, &reader, abbreviation);
        if (reader.failed || depth == 0) /* depth 0: a root without children */
            break;
    }
    scan->reader = reader;
    scan->depth = depth;
    scan->lowest = lowest;
    return reader.failed ? -EBADMSG : found;
}

int die_scan_next(struct die_scan *scan, struct scanned_die *ret_die)
{
    const struct abbreviation *abbreviation = NULL;
    int found = find_die(scan, &abbreviation, ret_die);
    if (found <= 0)
        return found;
    read_die(scan, abbreviation, ret_die);
    if (scan->reader.failed)
        return -EBADMSG;
    /* It started here, and there are no children: what follows is not below it. */
    if (scan->depth == 0)
        scan->reader.length = scan->reader.offset;
    return 1;
}
