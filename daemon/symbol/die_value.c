/* Constants, addresses, references and indices of strings (DWARF 5 §7.5.5). */
#include "symbol/die_value.h"

#include <dwarf.h>

#include "base/dwarf_reader.h"

static bool is_address_index(uint32_t form)
{
    return form == DW_FORM_GNU_addr_index || form == DW_FORM_addrx ||
           (form >= DW_FORM_addrx1 && form <= DW_FORM_addrx4);
}

static bool is_string_index(uint32_t form)
{
    return form == DW_FORM_GNU_str_index || form == DW_FORM_strx ||
           (form >= DW_FORM_strx1 && form <= DW_FORM_strx4);
}

bool die_value_is_address(uint32_t form)
{
    return form == DW_FORM_addr || is_address_index(form);
}

/* One that has a length of its own, or ULEB128. */
static uint64_t read_number(struct reader *reader, const struct unit_header *unit, uint32_t form)
{
    uint32_t bytes = form_bytes(unit, form);
    return bytes == FORM_VARIABLE ? reader_uleb(reader) : reader_uint(reader, bytes);
}

uint64_t die_value_constant(struct reader *reader, const struct unit_header *unit,
                            const struct abbreviation_attribute *attribute, uint32_t form)
{
    switch (form) {
    case DW_FORM_implicit_const:
        return (uint64_t)attribute->implicit;
    case DW_FORM_sdata:
        return (uint64_t)reader_sleb(reader);
    case DW_FORM_udata:
    case DW_FORM_rnglistx:
    case DW_FORM_data1:
    case DW_FORM_data2:
    case DW_FORM_data4:
    case DW_FORM_data8:
    case DW_FORM_sec_offset:
        return read_number(reader, unit, form);
    default:
        form_skip(reader, unit, form);
        return 0;
    }
}

bool die_value_address(struct reader *reader, const struct unit_data *unit, uint32_t form,
                       uint64_t *ret_vaddr)
{
    if (!die_value_is_address(form)) {
        form_skip(reader, &unit->header, form);
        return false;
    }
    uint64_t number = read_number(reader, &unit->header, form);
    if (is_address_index(form))
        return unit_data_address(unit, number, ret_vaddr);
    *ret_vaddr = number;
    return true;
}

bool die_value_reference(struct reader *reader, const struct unit_header *unit, uint32_t form,
                         uint64_t *ret_offset)
{
    bool within_unit = form == DW_FORM_ref1 || form == DW_FORM_ref2 || form == DW_FORM_ref4 ||
                       form == DW_FORM_ref8 || form == DW_FORM_ref_udata;
    if (!within_unit && form != DW_FORM_ref_addr) {
        form_skip(reader, unit, form);
        return false;
    }
    uint64_t offset = read_number(reader, unit, form);
    if (within_unit && __builtin_add_overflow(offset, unit->offset, &offset))
        return false;
    if (offset < unit->first_die || offset >= unit->end)
        return false;
    *ret_offset = offset;
    return true;
}

bool die_value_string_index(struct reader *reader, const struct unit_header *unit, uint32_t form,
                            uint64_t *ret_index)
{
    if (!is_string_index(form)) {
        form_skip(reader, unit, form);
        return false;
    }
    *ret_index = read_number(reader, unit, form);
    return true;
}
