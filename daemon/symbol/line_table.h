/* The rows of one unit's line program (DWARF 5 §6.2), sorted and compact. */
#pragma once

#include "symbol/line_header.h"

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
    bool is_damaged; /* its program is broken, or longer than any real one */
};

/*
 * Runs the program (which may add files to its header). Rows are sorted by address; the end of a
 * sequence comes before a row that starts there. Code below `text_vaddr` was discarded by the
 * linker. A broken program yields the sequences before the fault: see is_damaged. 0 or -ENOMEM.
 */
int line_table_read(struct line_header *header, uint64_t text_vaddr, struct line_table *ret_table);

/* The row that covers vaddr, or NULL. O(log rows). */
const struct line_row *line_table_find(const struct line_table *table, uint64_t vaddr);

void line_table_free(struct line_table *table);
