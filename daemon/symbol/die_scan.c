/* One pass over a unit's DIEs: forms are stepped over, few attributes are kept. */
#include "symbol/die_scan.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/dwarf_reader.h"

/* Compilers number abbreviations from 1; a sparse numbering would only waste our memory. */
#define ABBREVIATION_CODE_MAX (1u << 20)

/* How many bytes a value of that form takes, ABBREVIATION_VARIABLE when its bytes tell (DWARF 5
   §7.5.6). */
static uint32_t form_bytes(const struct unit_header *unit, uint32_t form)
{
    switch (form) {
    case DW_FORM_flag_present:
    case DW_FORM_implicit_const:
        return 0;
    case DW_FORM_data1:
    case DW_FORM_ref1:
    case DW_FORM_flag:
    case DW_FORM_strx1:
    case DW_FORM_addrx1:
        return 1;
    case DW_FORM_data2:
    case DW_FORM_ref2:
    case DW_FORM_strx2:
    case DW_FORM_addrx2:
        return 2;
    case DW_FORM_strx3:
    case DW_FORM_addrx3:
        return 3;
    case DW_FORM_data4:
    case DW_FORM_ref4:
    case DW_FORM_strx4:
    case DW_FORM_addrx4:
    case DW_FORM_ref_sup4:
        return 4;
    case DW_FORM_data8:
    case DW_FORM_ref8:
    case DW_FORM_ref_sig8:
    case DW_FORM_ref_sup8:
        return 8;
    case DW_FORM_data16:
        return 16;
    case DW_FORM_addr:
        return unit->address_bytes;
    case DW_FORM_ref_addr:
        return unit->version <= 2 ? unit->address_bytes : unit->offset_bytes;
    case DW_FORM_sec_offset:
    case DW_FORM_strp:
    case DW_FORM_line_strp:
    case DW_FORM_strp_sup:
    case DW_FORM_GNU_ref_alt:
    case DW_FORM_GNU_strp_alt:
        return unit->offset_bytes;
    default:
        return ABBREVIATION_VARIABLE;
    }
}

/* Steps over a value whose own bytes tell its length. */
static void skip_variable(struct reader *reader, uint32_t form)
{
    switch (form) {
    case DW_FORM_block1:
        reader_take(reader, reader_u8(reader));
        break;
    case DW_FORM_block2:
        reader_take(reader, reader_u16(reader));
        break;
    case DW_FORM_block4:
        reader_take(reader, reader_u32(reader));
        break;
    case DW_FORM_block:
    case DW_FORM_exprloc:
        reader_take(reader, reader_uleb(reader));
        break;
    case DW_FORM_string:
        reader_string(reader);
        break;
    case DW_FORM_sdata:
    case DW_FORM_udata:
    case DW_FORM_ref_udata:
    case DW_FORM_strx:
    case DW_FORM_addrx:
    case DW_FORM_loclistx:
    case DW_FORM_rnglistx:
    case DW_FORM_GNU_addr_index:
    case DW_FORM_GNU_str_index:
        reader_uleb(reader);
        break;
    default:
        reader->failed = true;
    }
}

static uint32_t resolve_indirect(struct reader *reader, uint32_t form)
{
    if (form != DW_FORM_indirect)
        return form;
    uint64_t real = reader_uleb(reader);
    /* One step is legal; a second, or a constant that is nowhere, is not. */
    return real > UINT32_MAX || real == DW_FORM_implicit_const ? 0 : (uint32_t)real;
}

static void skip_value(struct reader *reader, const struct unit_header *unit, uint32_t form)
{
    form = resolve_indirect(reader, form);
    uint32_t bytes = form_bytes(unit, form);
    if (bytes == ABBREVIATION_VARIABLE)
        skip_variable(reader, form);
    else
        reader_take(reader, bytes);
}

static bool is_code(uint32_t tag)
{
    return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
}

static int read_attributes(struct abbreviations *abbreviations, const struct unit_header *unit,
                           struct reader *reader, struct abbreviation *abbreviation)
{
    uint64_t fixed = 0;
    abbreviation->first_attribute = (uint32_t)abbreviations->attribute_count;
    while (!reader->failed) {
        uint64_t name = reader_uleb(reader), form = reader_uleb(reader);
        int64_t implicit = form == DW_FORM_implicit_const ? reader_sleb(reader) : 0;
        if (name == 0 && form == 0)
            break;
        if (name > UINT32_MAX || form > UINT32_MAX ||
            abbreviations->attribute_count >= UINT32_MAX - 1)
            return -EBADMSG;
        if (array_reserve(&abbreviations->attributes, &abbreviations->attribute_capacity,
                          abbreviations->attribute_count + 1, sizeof *abbreviations->attributes))
            return -ENOMEM;
        uint32_t bytes = form_bytes(unit, (uint32_t)form);
        abbreviations->attributes[abbreviations->attribute_count++] =
            (struct abbreviation_attribute){(uint32_t)name, (uint32_t)form, bytes, implicit};
        if (name == DW_AT_low_pc || name == DW_AT_ranges)
            abbreviation->has_code = is_code(abbreviation->tag);
        fixed = bytes == ABBREVIATION_VARIABLE || fixed >= ABBREVIATION_VARIABLE - bytes
                    ? ABBREVIATION_VARIABLE
                    : fixed + bytes;
    }
    abbreviation->attribute_count =
        (uint32_t)abbreviations->attribute_count - abbreviation->first_attribute;
    abbreviation->fixed_bytes = (uint32_t)fixed;
    return 0;
}

static int read_abbreviations(struct abbreviations *abbreviations, const struct unit_header *unit,
                              struct reader *reader)
{
    for (;;) {
        uint64_t code = reader_uleb(reader);
        if (reader->failed || code > ABBREVIATION_CODE_MAX)
            return -EBADMSG;
        if (code == 0)
            return 0;
        struct abbreviation abbreviation = {.tag = (uint32_t)reader_uleb(reader)};
        abbreviation.has_children = reader_u8(reader);
        int error = read_attributes(abbreviations, unit, reader, &abbreviation);
        if (error)
            return error;
        if (array_reserve(&abbreviations->items, &abbreviations->capacity, code + 1,
                          sizeof *abbreviations->items))
            return -ENOMEM;
        while (abbreviations->count <= code)
            abbreviations->items[abbreviations->count++] = (struct abbreviation){0};
        abbreviations->items[code] = abbreviation;
    }
}

int die_scan_start(struct die_scan *scan, const struct unit_header *unit, const unsigned char *info,
                   size_t info_bytes, const unsigned char *abbrev, size_t abbrev_bytes)
{
    if (unit->end > info_bytes || unit->first_die > unit->end ||
        unit->abbreviations > abbrev_bytes || unit->address_bytes > 8)
        return -EBADMSG;
    *scan = (struct die_scan){
        .unit = *unit,
        .lowest = UINT32_MAX,
        .reader = {.bytes = info, .length = unit->end, .offset = unit->first_die},
    };
    struct reader reader = {.bytes = abbrev, .length = abbrev_bytes, .offset = unit->abbreviations};
    int error = read_abbreviations(&scan->abbreviations, unit, &reader);
    if (error)
        die_scan_finish(scan);
    return error;
}

void die_scan_finish(struct die_scan *scan)
{
    free(scan->abbreviations.items);
    free(scan->abbreviations.attributes);
    scan->abbreviations = (struct abbreviations){0};
}

/* What DW_AT_high_pc and the rest hold until all attributes of the DIE are read. */
struct pending_range {
    bool has_low, has_high, high_is_length;
};

static uint64_t read_constant(struct reader *reader, const struct unit_header *unit,
                              const struct abbreviation_attribute *attribute, uint32_t form)
{
    if (form == DW_FORM_implicit_const)
        return (uint64_t)attribute->implicit;
    if (form == DW_FORM_udata)
        return reader_uleb(reader);
    if (form == DW_FORM_sdata)
        return (uint64_t)reader_sleb(reader);
    uint32_t bytes = form_bytes(unit, form);
    if (bytes <= 8)
        return reader_uint(reader, bytes);
    skip_value(reader, unit, form);
    return 0;
}

static uint32_t clamp_u32(uint64_t value)
{
    return value > UINT32_MAX ? 0 : (uint32_t)value;
}

static void read_attribute(struct reader *reader, const struct unit_header *unit,
                           const struct abbreviation_attribute *attribute,
                           struct pending_range *range, struct scanned_die *die)
{
    uint32_t form = resolve_indirect(reader, attribute->form);
    switch (attribute->name) {
    case DW_AT_low_pc:
        if (form != DW_FORM_addr) {
            die->has_ranges_list = true;
            break;
        }
        range->has_low = true;
        die->low = read_constant(reader, unit, attribute, form);
        return;
    case DW_AT_high_pc:
        range->has_high = true;
        range->high_is_length = form != DW_FORM_addr;
        die->high = read_constant(reader, unit, attribute, form);
        return;
    case DW_AT_ranges:
        die->has_ranges_list = true;
        break;
    case DW_AT_call_file:
        die->call_file = clamp_u32(read_constant(reader, unit, attribute, form));
        return;
    case DW_AT_call_line:
        die->call_line = clamp_u32(read_constant(reader, unit, attribute, form));
        return;
    case DW_AT_call_column:
        die->call_column = clamp_u32(read_constant(reader, unit, attribute, form));
        return;
    default:
        break;
    }
    if (attribute->bytes != ABBREVIATION_VARIABLE)
        reader_take(reader, attribute->bytes);
    else
        skip_value(reader, unit, form);
}

static void read_die(struct die_scan *scan, const struct abbreviation *abbreviation,
                     struct scanned_die *die)
{
    struct pending_range range = {0};
    for (uint32_t i = 0; i < abbreviation->attribute_count && !scan->reader.failed; i++)
        read_attribute(&scan->reader, &scan->unit,
                       &scan->abbreviations.attributes[abbreviation->first_attribute + i], &range,
                       die);
    if (range.has_low && range.has_high && range.high_is_length)
        die->high += die->low;
    die->has_range = range.has_low && range.has_high && !die->has_ranges_list;
}

static void skip_die(struct die_scan *scan, const struct abbreviation *abbreviation)
{
    if (abbreviation->fixed_bytes != ABBREVIATION_VARIABLE) {
        reader_take(&scan->reader, abbreviation->fixed_bytes);
        return;
    }
    const struct abbreviation_attribute *attributes =
        scan->abbreviations.attributes + abbreviation->first_attribute;
    for (uint32_t i = 0; i < abbreviation->attribute_count && !scan->reader.failed; i++) {
        if (attributes[i].bytes != ABBREVIATION_VARIABLE)
            reader_take(&scan->reader, attributes[i].bytes);
        else
            skip_value(&scan->reader, &scan->unit, attributes[i].form);
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
        if (code >= scan->abbreviations.count || !scan->abbreviations.items[code].tag)
            return -EBADMSG;
        const struct abbreviation *abbreviation = &scan->abbreviations.items[code];
        uint32_t depth = scan->depth;
        if (depth < scan->lowest)
            scan->lowest = depth;
        if (abbreviation->has_children)
            scan->depth++;
        bool wanted = abbreviation->has_code;
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
