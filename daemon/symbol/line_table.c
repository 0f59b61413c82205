/* Runs line programs, and keeps of their rows what an address needs. */
#include "symbol/line_table.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/dwarf_reader.h"

/* The largest program of a real unit yields a few million. */
#define ROWS_MAX (1u << 24)

struct row {
    uint64_t vaddr;
    uint32_t file, line;
    uint32_t order; /* where only that decides */
    uint16_t column;
    bool ends; /* the sequence: the first address past it */
};

/* Rows whose addresses rise, as a program emits them. */
struct sequence {
    uint64_t start;
    size_t first, count;
};

struct machine {
    struct line_header *header;
    struct reader program;
    uint64_t text_vaddr;
    struct row state;
    uint32_t operation; /* within a VLIW instruction */
    size_t sequence_first;
    struct row *rows; /* owned */
    size_t row_count, row_capacity;
    struct sequence *sequences; /* owned */
    size_t sequence_count, sequence_capacity;
};

static void start_sequence(struct machine *machine)
{
    machine->state = (struct row){.file = 1, .line = 1};
    machine->operation = 0;
    machine->sequence_first = machine->row_count;
}

static bool same_place(const struct row *left, const struct row *right)
{
    return left->file == right->file && left->line == right->line && left->column == right->column;
}

/* The last of several rows at one address holds; rows that change nothing are left out. */
static int emit_row(struct machine *machine)
{
    struct row row = machine->state;
    if (row.ends)
        row.file = LINE_FILE_NONE;
    if (machine->row_count > machine->sequence_first) {
        const struct row *last = &machine->rows[machine->row_count - 1];
        if (row.vaddr == last->vaddr)
            machine->row_count--;
        else if (same_place(last, &row))
            return 0;
    }
    if (machine->row_count >= ROWS_MAX)
        return -E2BIG;
    if (array_reserve(&machine->rows, &machine->row_capacity, machine->row_count + 1,
                      sizeof *machine->rows))
        return -ENOMEM;
    machine->rows[machine->row_count++] = row;
    return 0;
}

static int end_sequence(struct machine *machine)
{
    machine->state.ends = true;
    int error = emit_row(machine);
    if (error)
        return error;
    const struct row *first = &machine->rows[machine->sequence_first];
    size_t count = machine->row_count - machine->sequence_first;
    if (count < 2 || first->vaddr < machine->text_vaddr) {
        machine->row_count = machine->sequence_first;
    } else {
        if (array_reserve(&machine->sequences, &machine->sequence_capacity,
                          machine->sequence_count + 1, sizeof *machine->sequences))
            return -ENOMEM;
        machine->sequences[machine->sequence_count++] =
            (struct sequence){first->vaddr, machine->sequence_first, count};
    }
    start_sequence(machine);
    return 0;
}

static void advance(struct machine *machine, uint64_t operations)
{
    const struct line_header *header = machine->header;
    if (header->operations == 1) {
        machine->state.vaddr += header->instruction_bytes * operations;
        return;
    }
    operations += machine->operation;
    machine->state.vaddr += header->instruction_bytes * (operations / header->operations);
    machine->operation = (uint32_t)(operations % header->operations);
}

static int run_special(struct machine *machine, uint8_t opcode)
{
    const struct line_header *header = machine->header;
    uint8_t adjusted = opcode - header->opcode_base;
    advance(machine, adjusted / header->line_range);
    machine->state.line += (uint32_t)(header->line_base + adjusted % header->line_range);
    return emit_row(machine);
}

static int run_extended(struct machine *machine)
{
    uint64_t bytes = reader_uleb(&machine->program);
    const uint8_t *start = reader_take(&machine->program, bytes);
    if (!start || !bytes)
        return 0;
    struct reader operands = {.bytes = start, .length = bytes, .offset = 1};
    switch (start[0]) {
    case DW_LNE_end_sequence:
        return end_sequence(machine);
    case DW_LNE_set_address:
        machine->state.vaddr = reader_uint(&operands, bytes - 1 > 8 ? 8 : (unsigned)bytes - 1);
        machine->operation = 0;
        return 0;
    case DW_LNE_define_file:
        return line_header_define_file(machine->header, &operands);
    default: /* discriminators, and what vendors add */
        return 0;
    }
}

static void skip_operands(struct machine *machine, uint8_t opcode)
{
    for (uint8_t i = machine->header->operand_counts[opcode - 1]; i > 0; i--)
        reader_uleb(&machine->program);
}

static uint32_t file_number(uint64_t number)
{
    return number < LINE_FILE_NONE ? (uint32_t)number : LINE_FILE_NONE - 1;
}

static int run_standard(struct machine *machine, uint8_t opcode)
{
    struct reader *program = &machine->program;
    switch (opcode) {
    case DW_LNS_copy:
        return emit_row(machine);
    case DW_LNS_advance_pc:
        advance(machine, reader_uleb(program));
        return 0;
    case DW_LNS_advance_line:
        machine->state.line += (uint32_t)reader_sleb(program);
        return 0;
    case DW_LNS_set_file:
        machine->state.file = file_number(reader_uleb(program));
        return 0;
    case DW_LNS_set_column: {
        uint64_t column = reader_uleb(program);
        machine->state.column = column > UINT16_MAX ? 0 : (uint16_t)column;
        return 0;
    }
    case DW_LNS_const_add_pc:
        advance(machine,
                (uint8_t)(255 - machine->header->opcode_base) / machine->header->line_range);
        return 0;
    case DW_LNS_fixed_advance_pc:
        machine->state.vaddr += reader_u16(program);
        machine->operation = 0;
        return 0;
    default: /* of the known ones, what is left has no say in address, file and line */
        skip_operands(machine, opcode);
        return 0;
    }
}

static int run(struct machine *machine)
{
    struct reader *program = &machine->program;
    int error = 0;
    start_sequence(machine);
    while (!error && !program->failed && reader_left(program)) {
        uint8_t opcode = reader_u8(program);
        if (opcode >= machine->header->opcode_base)
            error = run_special(machine, opcode);
        else if (opcode == 0)
            error = run_extended(machine);
        else
            error = run_standard(machine, opcode);
    }
    return error == -ENOMEM ? error : 0;
}

static int compare_sequences(const void *left, const void *right)
{
    const struct sequence *a = left, *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

/* At one address an end comes first; else the program's order counts. */
static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    if (a->vaddr != b->vaddr)
        return a->vaddr < b->vaddr ? -1 : 1;
    if (a->ends != b->ends)
        return a->ends ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static bool are_sorted(const struct row *rows, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (rows[i].vaddr < rows[i - 1].vaddr)
            return false;
    return true;
}

/* Sequence by sequence; those that overlap are no compiler's work, and sorted row by row. */
static size_t order_rows(struct machine *machine, struct row *ordered)
{
    size_t count = 0;
    if (machine->sequence_count)
        qsort(machine->sequences, machine->sequence_count, sizeof *machine->sequences,
              compare_sequences);
    for (size_t i = 0; i < machine->sequence_count; i++) {
        const struct sequence *sequence = &machine->sequences[i];
        memcpy(ordered + count, machine->rows + sequence->first, sequence->count * sizeof *ordered);
        count += sequence->count;
    }
    if (are_sorted(ordered, count))
        return count;
    for (size_t i = 0; i < count; i++)
        ordered[i].order = (uint32_t)i;
    qsort(ordered, count, sizeof *ordered, compare_rows);
    return count;
}

static void add_row(struct line_table *table, const struct row *row)
{
    if (table->count == 0)
        table->base = row->vaddr;
    if (row->vaddr - table->base > UINT32_MAX)
        return;
    struct line_row compact = {(uint32_t)(row->vaddr - table->base), row->file, row->line,
                               row->column};
    if (table->count && table->rows[table->count - 1].offset == compact.offset)
        table->count--;
    table->rows[table->count++] = compact;
}

static int compact_rows(struct machine *machine, struct line_table *table)
{
    _cleanup_free_ struct row *ordered = calloc(machine->row_count + 1, sizeof *ordered);
    if (!ordered ||
        array_reserve(&table->rows, &table->capacity, machine->row_count + 1, sizeof *table->rows))
        return -ENOMEM;
    size_t count = order_rows(machine, ordered);
    for (size_t i = 0; i < count; i++)
        add_row(table, &ordered[i]);
    return 0;
}

int line_table_read(struct line_header *header, uint64_t text_vaddr, struct line_table *ret_table)
{
    struct machine machine = {
        .header = header, .program = header->program, .text_vaddr = text_vaddr};
    struct line_table table = {0};
    int error = run(&machine);
    if (!error)
        error = compact_rows(&machine, &table);
    free(machine.rows);
    free(machine.sequences);
    if (error)
        line_table_free(&table);
    else
        *ret_table = table;
    return error;
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
