/* The sections that the DIEs of one unit point into, and from where they count. */
#pragma once

#include "symbol/span.h"

/* Offsets are into .debug_info. */
struct unit_header {
    uint64_t offset, end;   /* of the whole unit */
    uint64_t first_die;     /* of its root DIE */
    uint64_t abbreviations; /* offset into .debug_abbrev */
    uint16_t version;
    uint8_t address_bytes, offset_bytes;
};

/*
 * Of a split unit some sections are in its .dwo file, and .debug_addr and .debug_ranges in the
 * linked one (DWARF 5 §7.3.2). A section that is missing is empty.
 */
struct unit_data {
    struct unit_header header;
    struct span info, abbreviations, addresses, ranges, range_lists;
    uint64_t low_pc;           /* of the unit: what offsets in range lists count from */
    uint64_t addresses_base;   /* of this unit's part of .debug_addr */
    uint64_t ranges_base;      /* of a split unit's part of .debug_ranges */
    uint64_t range_lists_base; /* of the offsets that DW_FORM_rnglistx counts */
};

/* The address at an index of .debug_addr. False when there is none. */
bool unit_data_address(const struct unit_data *unit, uint64_t index, uint64_t *ret_vaddr);
