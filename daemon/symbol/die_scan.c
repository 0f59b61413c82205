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

static void skip_die(struct die_scan *scan, const struct abbreviation *abbreviation)
{
    if (abbreviation->fixed_bytes != FORM_VARIABLE) {
        reader_take(&scan->reader, abbreviation->fixed_bytes);
        return;
    }
    const struct abbreviation_attribute *attributes =
        scan->abbreviations->attributes + abbreviation->first_attribute;
    for (uint32_t i = 0; i < abbreviation->attribute_count && !scan->reader.failed; i++) {
        if (attributes[i].bytes != FORM_VARIABLE)
            reader_take(&scan->reader, attributes[i].bytes);
        else
            form_skip(&scan->reader, &scan->unit->header, attributes[i].form);
    }
}

int die_scan_next(struct die_scan *scan, struct scanned_die *ret_die)
{
    struct reader *reader = &scan->reader;
    while (reader_left(reader)) {
        uint64_t offset = reader->offset;
        uint64_t code = reader_uleb(reader);
        if (code == 0) {
            /* The null entry that ends a list of children; one too many ends the unit. */
            if (scan->depth <= 1)
                return reader->failed ? -EBADMSG : 0;
            scan->depth--;
            continue;
        }
        const struct abbreviation *abbreviation = abbreviations_get(scan->abbreviations, code);
        if (!abbreviation)
            return -EBADMSG;
        uint32_t depth = scan->depth;
        if (depth < scan->lowest)
            scan->lowest = depth;
        if (abbreviation->has_children)
            scan->depth++;
        bool wanted = abbreviation->has_code &&
                      (!scan->functions_only || abbreviation->tag == DW_TAG_subprogram);
        if (wanted) {
            *ret_die =
                (struct scanned_die){.offset = offset, .tag = abbreviation->tag, .depth = depth};
            read_die(scan, abbreviation, ret_die);
        } else {
            skip_die(scan, abbreviation);
        }
        if (reader->failed)
            return -EBADMSG;
        if (wanted) {
            ret_die->enclosed = scan->lowest;
            scan->lowest = UINT32_MAX;
            return 1;
        }
        if (scan->depth == 0)
            return 0; /* a root without children */
    }
    return 0;
}
