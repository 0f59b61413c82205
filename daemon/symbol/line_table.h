/* The rows of one unit's line program, sorted and compact. */
#pragma once

#include "symbol/debug_image.h"
#include "symbol/line_md5.h"

#define LINE_FILE_NONE UINT32_MAX

/* Holds from its address to the next row's. */
struct line_row {
    uint32_t offset; /* from the table's base */
    uint32_t file;   /* index as the line program numbers files; LINE_FILE_NONE: a gap */
    uint32_t line;   /* 0 when the compiler says "no line" */
    uint16_t column;
};

struct line_table {
    uint64_t base;         /* vaddr of the first row */
    struct line_row *rows; /* owned */
    size_t count, capacity;
    size_t decoded; /* rows that libdw had to decode (and keeps) for this */
};

/*
 * Decodes the line program of a unit (libdw sorts it by address; an end of a sequence comes before
 * a row that starts there). Code below `text_vaddr` was discarded by the linker. The table is empty
 * when there is no valid program. 0 or -ENOMEM.
 */
int line_table_read(const struct debug_image *image, Dwarf_Die *unit_die, uint64_t text_vaddr,
                    struct line_table *ret_table);

/* The files that a unit's line program names; 0, or -ENOENT when there is no sane program. */
int line_table_files(const struct debug_image *image, Dwarf_Die *unit_die, Dwarf_Files **ret_files,
                     size_t *ret_count);

/* The MD5 sums of these files, as far as the line table has them. 0 or -ENOMEM. */
int line_table_md5(const struct debug_image *image, Dwarf_Die *unit_die, struct line_md5 *ret_md5);

/* The row that covers vaddr, or NULL. O(log rows). */
const struct line_row *line_table_find(const struct line_table *table, uint64_t vaddr);

void line_table_free(struct line_table *table);
