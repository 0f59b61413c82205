/* Walks the DIEs of one unit once, front to back, reading only what an inline tree needs. */
#pragma once

#include "symbol/abbreviation.h"

/*
 * A DIE that was looked for: one that has code, unless the scan wants others. The rest is only
 * counted in the depth.
 */
struct scanned_die {
    uint64_t offset;
    uint32_t tag;
    uint32_t depth;      /* children of the root DIE have depth 1 */
    uint32_t enclosed;   /* of the DIEs reported before, those of lower depth enclose this one */
    bool has_range;      /* [low, high) is its only range */
    bool has_range_list; /* its ranges are where DW_AT_ranges says */
    bool ranges_is_index;
    uint64_t low, high, ranges;
    uint64_t origin; /* the DIE of the same unit that it is a copy of; 0: none */
    uint32_t call_file, call_line, call_column;
};

struct die_scan {
    const struct unit_data *unit;              /* borrowed */
    const struct abbreviations *abbreviations; /* borrowed */
    struct reader reader;                      /* over .debug_info, up to the unit's end */
    uint32_t depth;
    uint32_t lowest; /* depth among the DIEs since the last report */
    uint32_t wanted; /* enum die_kind: what is reported; others are only counted */
};

/* Both are borrowed while the scan lasts. 0 or -EBADMSG. */
int die_scan_start(struct die_scan *scan, const struct unit_data *unit,
                   const struct abbreviations *abbreviations);

/*
 * The next interesting DIE: 1, or 0 at the end of the unit, or of what is below the DIE that the
 * reader was set to after the start, or -EBADMSG. Each byte of the unit is
 * read once: references and DW_AT_sibling are not followed, so that no input makes it loop.
 */
int die_scan_next(struct die_scan *scan, struct scanned_die *ret_die);
