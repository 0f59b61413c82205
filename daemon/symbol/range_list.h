/* Walks a list of address ranges: .debug_rnglists of DWARF 5, .debug_ranges of DWARF 3 and 4. */
#pragma once

#include "symbol/unit_data.h"

struct range_list {
    const struct unit_data *unit; /* borrowed */
    struct reader reader;
    uint64_t base; /* what offset pairs count from */
};

/* The value of DW_AT_ranges: an index (DW_FORM_rnglistx), or an offset into the section. */
void range_list_start(struct range_list *list, const struct unit_data *unit, uint64_t value,
                      bool is_index);

/*
 * The next range, which may be empty or senseless. False at the end and where the list is broken,
 * which reader.failed tells. Each byte is read once.
 */
bool range_list_next(struct range_list *list, uint64_t *ret_start, uint64_t *ret_end);
