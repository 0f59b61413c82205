/* Values of attributes, where a DIE's bytes are read without libdw. */
#pragma once

#include "symbol/abbreviation.h"

/* True for the forms that stand for an address. */
bool die_value_is_address(uint32_t form);

/*
 * All read the value at the reader, whose form is `form` (which form_resolve() made of the
 * attribute's), and step over it whatever it is.
 */

/* An unsigned or a signed constant; 0 for other forms. */
uint64_t die_value_constant(struct reader *reader, const struct unit_header *unit,
                            const struct abbreviation_attribute *attribute, uint32_t form);

/* An address, its own or an index. False when it is none. */
bool die_value_address(struct reader *reader, const struct unit_data *unit, uint32_t form,
                       uint64_t *ret_vaddr);

/* The offset in .debug_info of the DIE that a reference within the unit means. False for others. */
bool die_value_reference(struct reader *reader, const struct unit_header *unit, uint32_t form,
                         uint64_t *ret_offset);

/* The index of a string (DW_FORM_strx and the like). False when it is no index. */
bool die_value_string_index(struct reader *reader, const struct unit_header *unit, uint32_t form,
                            uint64_t *ret_index);
