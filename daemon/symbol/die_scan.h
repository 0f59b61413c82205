/* Walks the DIEs of one unit once, front to back, reading only what an inline tree needs. */
#pragma once

#include <stdbool.h>

#include "base/reader.h"

/* An attribute of an abbreviation (DWARF 5 §7.5.3). */
struct abbreviation_attribute {
    uint32_t name, form;
    uint32_t bytes;   /* of its value, or ABBREVIATION_VARIABLE */
    int64_t implicit; /* the value of DW_FORM_implicit_const */
};

struct abbreviation {
    uint32_t tag; /* 0: there is no abbreviation of this code */
    bool has_children;
    bool has_code;        /* a subprogram or inlined subroutine with addresses, not a declaration */
    uint32_t fixed_bytes; /* of all attribute values, or ABBREVIATION_VARIABLE */
    uint32_t first_attribute, attribute_count;
};

#define ABBREVIATION_VARIABLE UINT32_MAX

struct abbreviations {
    struct abbreviation *items; /* owned, by code */
    size_t count, capacity;
    struct abbreviation_attribute *attributes; /* owned */
    size_t attribute_count, attribute_capacity;
};

/* Offsets are into .debug_info. */
struct unit_header {
    uint64_t offset, end;   /* of the whole unit */
    uint64_t first_die;     /* of its root DIE */
    uint64_t abbreviations; /* offset into .debug_abbrev */
    uint16_t version;
    uint8_t address_bytes, offset_bytes;
};

/*
 * A DIE that has code: a subprogram or an inlined subroutine. Others are only counted in the depth.
 */
struct scanned_die {
    uint64_t offset;
    uint32_t tag;
    uint32_t depth;       /* children of the root DIE have depth 1 */
    uint32_t enclosed;    /* of the DIEs reported before, those of lower depth enclose this one */
    bool has_range;       /* [low, high) is its only range */
    bool has_ranges_list; /* ask libdw: DW_AT_ranges, or an indexed address */
    uint64_t low, high;
    uint32_t call_file, call_line, call_column;
};

struct die_scan {
    struct unit_header unit;
    struct abbreviations abbreviations;
    struct reader reader; /* over .debug_info, up to the unit's end */
    uint32_t depth;
    uint32_t lowest; /* depth among the DIEs since the last report */
};

/*
 * Reads the abbreviations of a unit. `info` and `abbrev` are borrowed until die_scan_finish().
 * 0, -ENOMEM or -EBADMSG.
 */
int die_scan_start(struct die_scan *scan, const struct unit_header *unit, const unsigned char *info,
                   size_t info_bytes, const unsigned char *abbrev, size_t abbrev_bytes);

/*
 * The next interesting DIE: 1, or 0 at the end of the unit, or -EBADMSG. Each byte of the unit is
 * read once: references and DW_AT_sibling are not followed, so that no input makes it loop.
 */
int die_scan_next(struct die_scan *scan, struct scanned_die *ret_die);

void die_scan_finish(struct die_scan *scan);
