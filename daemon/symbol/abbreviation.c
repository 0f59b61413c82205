/* Abbreviations of DIEs, and how long the values of each form are. */
#include "symbol/abbreviation.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/dwarf_reader.h"

/* Compilers number abbreviations from 1; a sparse numbering would only waste our memory. */
#define ABBREVIATION_CODE_MAX (1u << 20)
/* Units of the largest programs have some ten thousand. */
#define ATTRIBUTES_MAX (1u << 22)

uint32_t form_bytes(const struct unit_header *unit, uint32_t form)
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
        return FORM_VARIABLE;
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

uint32_t form_resolve(struct reader *reader, uint32_t form)
{
    if (form != DW_FORM_indirect)
        return form;
    uint64_t real = reader_uleb(reader);
    /* One step is legal; a second, or a constant that is nowhere, is not. */
    return real > UINT32_MAX || real == DW_FORM_implicit_const ? 0 : (uint32_t)real;
}

void form_skip(struct reader *reader, const struct unit_header *unit, uint32_t form)
{
    form = form_resolve(reader, form);
    uint32_t bytes = form_bytes(unit, form);
    if (bytes == FORM_VARIABLE)
        skip_variable(reader, form);
    else
        reader_take(reader, bytes);
}

/* Of a DIE that has addresses. */
static uint32_t code_kinds(uint32_t tag)
{
    return tag == DW_TAG_subprogram           ? DIE_HAS_CODE | DIE_IS_FUNCTION
           : tag == DW_TAG_inlined_subroutine ? DIE_HAS_CODE
                                              : 0;
}

static bool is_scope(uint32_t tag)
{
    return tag == DW_TAG_subprogram || tag == DW_TAG_namespace || tag == DW_TAG_module ||
           tag == DW_TAG_class_type || tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
           tag == DW_TAG_interface_type;
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
            abbreviations->attribute_count >= ATTRIBUTES_MAX)
            return -EBADMSG;
        if (array_reserve(&abbreviations->attributes, &abbreviations->attribute_capacity,
                          abbreviations->attribute_count + 1, sizeof *abbreviations->attributes))
            return -ENOMEM;
        uint32_t bytes = form_bytes(unit, (uint32_t)form);
        abbreviations->attributes[abbreviations->attribute_count++] =
            (struct abbreviation_attribute){(uint32_t)name, (uint32_t)form, bytes, implicit};
        if (name == DW_AT_low_pc || name == DW_AT_ranges)
            abbreviation->kinds |= code_kinds(abbreviation->tag);
        fixed = bytes == FORM_VARIABLE || fixed >= FORM_VARIABLE - bytes ? FORM_VARIABLE
                                                                         : fixed + bytes;
    }
    abbreviation->attribute_count =
        (uint32_t)abbreviations->attribute_count - abbreviation->first_attribute;
    abbreviation->fixed_bytes = (uint32_t)fixed;
    return 0;
}

static int read_all(struct abbreviations *abbreviations, const struct unit_header *unit,
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
        abbreviation.kinds = is_scope(abbreviation.tag) ? DIE_IS_SCOPE : 0;
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

int abbreviations_read(const struct unit_header *unit, struct span section,
                       struct abbreviations *ret_abbreviations)
{
    if (unit->abbreviations > section.length || unit->address_bytes > 8)
        return -EBADMSG;
    struct abbreviations abbreviations = {0};
    struct reader reader = span_reader(section, unit->abbreviations);
    int error = read_all(&abbreviations, unit, &reader);
    if (error)
        abbreviations_free(&abbreviations);
    else
        *ret_abbreviations = abbreviations;
    return error;
}

size_t abbreviations_bytes(const struct abbreviations *abbreviations)
{
    return abbreviations->capacity * sizeof *abbreviations->items +
           abbreviations->attribute_capacity * sizeof *abbreviations->attributes;
}

void abbreviations_free(struct abbreviations *abbreviations)
{
    free(abbreviations->items);
    free(abbreviations->attributes);
    *abbreviations = (struct abbreviations){0};
}
