/* Line rows through libdw, kept in a quarter of its memory. */
#include "symbol/line_table.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/dwarf_reader.h"
#include "base/reader.h"

/* The largest program of a real unit is a few MB; libdw needs 40 bytes for each of its bytes. */
#define PROGRAM_BYTES_MAX (32u << 20)

struct decoded_row {
    uint64_t vaddr;
    uint32_t file, line;
    uint16_t column;
};

/* Looks at the program's length before libdw believes it. */
static bool has_sane_program(const struct debug_image *image, Dwarf_Die *unit_die)
{
    if (dwarf_cu_getdwarf(unit_die->cu) != image->dwarf)
        return image->alternate && has_sane_program(image->alternate, unit_die);
    Dwarf_Attribute attribute;
    Dwarf_Word offset;
    size_t length;
    const unsigned char *bytes = debug_image_section(image, ".debug_line", &length);
    if (!bytes || dwarf_formudata(dwarf_attr(unit_die, DW_AT_stmt_list, &attribute), &offset) ||
        offset >= length)
        return false;
    struct reader reader = {.bytes = bytes, .length = length, .offset = offset};
    uint64_t program_bytes = reader_u32(&reader);
    if (program_bytes == UINT32_MAX)
        program_bytes = reader_u64(&reader);
    return !reader.failed && program_bytes <= PROGRAM_BYTES_MAX;
}

static bool read_row(Dwarf_Line *line, struct decoded_row *row)
{
    Dwarf_Addr vaddr;
    Dwarf_Files *files;
    size_t file;
    int number, column;
    bool ends;
    if (dwarf_lineaddr(line, &vaddr) || dwarf_lineendsequence(line, &ends) ||
        dwarf_line_file(line, &files, &file) || dwarf_lineno(line, &number) ||
        dwarf_linecol(line, &column))
        return false;
    *row = (struct decoded_row){
        .vaddr = vaddr,
        .file = ends || file >= LINE_FILE_NONE ? LINE_FILE_NONE : (uint32_t)file,
        .line = ends || number < 0 ? 0 : (uint32_t)number,
        .column = ends || column < 0 || column > UINT16_MAX ? 0 : (uint16_t)column,
    };
    return true;
}

static bool same_place(const struct line_row *left, const struct line_row *right)
{
    return left->file == right->file && left->line == right->line && left->column == right->column;
}

/* The last of several rows at one address holds; rows that change nothing are left out. */
static void add_row(struct line_table *table, const struct decoded_row *row)
{
    if (table->count == 0)
        table->base = row->vaddr;
    if (row->vaddr < table->base || row->vaddr - table->base > UINT32_MAX)
        return;
    struct line_row compact = {(uint32_t)(row->vaddr - table->base), row->file, row->line,
                               row->column};
    if (table->count && table->rows[table->count - 1].offset == compact.offset)
        table->count--;
    if (table->count && same_place(&table->rows[table->count - 1], &compact))
        return;
    table->rows[table->count++] = compact;
}

int line_table_read(const struct debug_image *image, Dwarf_Die *unit_die, uint64_t text_vaddr,
                    struct line_table *ret_table)
{
    struct line_table table = {0};
    Dwarf_Lines *lines;
    size_t count;
    *ret_table = table;
    if (!has_sane_program(image, unit_die) || dwarf_getsrclines(unit_die, &lines, &count))
        return 0;
    if (array_reserve(&table.rows, &table.capacity, count, sizeof *table.rows))
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct decoded_row row;
        if (read_row(dwarf_onesrcline(lines, i), &row) && row.vaddr >= text_vaddr)
            add_row(&table, &row);
    }
    struct line_row *shrunk = realloc(table.rows, (table.count + 1) * sizeof *table.rows);
    if (shrunk) {
        table.rows = shrunk;
        table.capacity = table.count + 1;
    }
    table.decoded = count;
    *ret_table = table;
    return 0;
}

int line_table_files(const struct debug_image *image, Dwarf_Die *unit_die, Dwarf_Files **ret_files,
                     size_t *ret_count)
{
    if (!has_sane_program(image, unit_die) || dwarf_getsrcfiles(unit_die, ret_files, ret_count))
        return -ENOENT;
    return 0;
}

int line_table_md5(const struct debug_image *image, Dwarf_Die *unit_die, struct line_md5 *ret_md5)
{
    Dwarf_Attribute attribute;
    Dwarf_Word offset;
    size_t length;
    if (dwarf_cu_getdwarf(unit_die->cu) != image->dwarf ||
        dwarf_formudata(dwarf_attr(unit_die, DW_AT_stmt_list, &attribute), &offset))
        return 0;
    const unsigned char *bytes = debug_image_section(image, ".debug_line", &length);
    return line_md5_read(bytes, length, offset, ret_md5);
}

const struct line_row *line_table_find(const struct line_table *table, uint64_t vaddr)
{
    if (table->count == 0 || vaddr < table->base || vaddr - table->base > UINT32_MAX)
        return NULL;
    uint32_t offset = (uint32_t)(vaddr - table->base);
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->rows[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    /* Nothing ends the last row of a table that was cut off: it proves nothing. */
    if (low == 0 || low == table->count)
        return NULL;
    const struct line_row *row = &table->rows[low - 1];
    return row->file == LINE_FILE_NONE ? NULL : row;
}

void line_table_free(struct line_table *table)
{
    free(table->rows);
    *table = (struct line_table){0};
}
