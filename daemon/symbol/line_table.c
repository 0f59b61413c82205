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
    uint64_t start, end;
    size_t first, count;
};

/* What a special opcode does. */
struct step {
    uint8_t operations;
    int16_t lines;
};

struct machine {
    struct line_header *header;
    uint64_t text_vaddr;
    struct step steps[UINT8_MAX + 1]; /* by opcode */
    uint32_t operation;               /* within a VLIW instruction */
    size_t sequence_first;
    bool falls; /* in some sequence addresses do not rise */
    bool is_damaged;
    struct row *rows; /* owned */
    size_t row_count, row_capacity;
    struct sequence *sequences; /* owned */
    size_t sequence_count, sequence_capacity;
};

static void start_sequence(struct machine *machine, struct row *state)
{
    *state = (struct row){.file = 1, .line = 1};
    machine->operation = 0;
    machine->sequence_first = machine->row_count;
}

static bool same_place(const struct row *left, const struct row *right)
{
    return left->file == right->file && left->line == right->line && left->column == right->column;
}

/* The last of several rows at one address holds; rows that change nothing are left out. */
static inline int emit_row(struct machine *machine, const struct row *row)
{
    if (machine->row_count > machine->sequence_first) {
        const struct row *last = &machine->rows[machine->row_count - 1];
        if (row->vaddr == last->vaddr)
            machine->row_count--;
        else if (same_place(last, row))
            return 0;
        else if (row->vaddr < last->vaddr)
            machine->falls = true;
    }
    if (machine->row_count >= ROWS_MAX)
        return -E2BIG;
    if (machine->row_count == machine->row_capacity &&
        array_reserve(&machine->rows, &machine->row_capacity, machine->row_count + 1,
                      sizeof *machine->rows))
        return -ENOMEM;
    machine->rows[machine->row_count++] = *row;
    return 0;
}

static int end_sequence(struct machine *machine, struct row *state)
{
    struct row end = *state;
    end.ends = true;
    end.file = LINE_FILE_NONE;
    int error = emit_row(machine, &end);
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
            (struct sequence){first->vaddr, end.vaddr, machine->sequence_first, count};
    }
    start_sequence(machine, state);
    return 0;
}

static inline void advance(struct machine *machine, struct row *state, uint64_t operations)
{
    const struct line_header *header = machine->header;
    if (header->operations == 1) {
        state->vaddr += header->instruction_bytes * operations;
        return;
    }
    operations += machine->operation;
    state->vaddr += header->instruction_bytes * (operations / header->operations);
    machine->operation = (uint32_t)(operations % header->operations);
}

/* The row that it leaves behind is emitted by the caller. */
static inline void run_special(struct machine *machine, struct row *state, uint8_t opcode)
{
    const struct step *step = &machine->steps[opcode];
    advance(machine, state, step->operations);
    state->line += (uint32_t)step->lines;
}

static int run_extended(struct machine *machine, struct row *state, struct reader operands)
{
    size_t bytes = reader_left(&operands);
    switch (reader_u8(&operands)) {
    case DW_LNE_end_sequence:
        return end_sequence(machine, state);
    case DW_LNE_set_address:
        state->vaddr = reader_uint(&operands, bytes - 1 > 8 ? 8 : (unsigned)bytes - 1);
        machine->operation = 0;
        return 0;
    case DW_LNE_define_file:
        return line_header_define_file(machine->header, &operands);
    default: /* discriminators, and what vendors add */
        return 0;
    }
}

static uint32_t file_number(uint64_t number)
{
    return number < LINE_FILE_NONE ? (uint32_t)number : LINE_FILE_NONE - 1;
}

/* All of them but DW_LNS_copy. */
static inline void run_standard(struct machine *machine, struct row *state, struct reader *program,
                                uint8_t opcode)
{
    uint64_t column;
    switch (opcode) {
    case DW_LNS_advance_pc:
        advance(machine, state, reader_uleb(program));
        break;
    case DW_LNS_advance_line:
        state->line += (uint32_t)reader_sleb(program);
        break;
    case DW_LNS_set_file:
        state->file = file_number(reader_uleb(program));
        break;
    case DW_LNS_set_column:
        column = reader_uleb(program);
        state->column = column > UINT16_MAX ? 0 : (uint16_t)column;
        break;
    case DW_LNS_const_add_pc:
        advance(machine, state, machine->steps[UINT8_MAX].operations);
        break;
    case DW_LNS_fixed_advance_pc:
        state->vaddr += reader_u16(program);
        machine->operation = 0;
        break;
    default: /* of the known ones, what is left has no say in address, file and line */
        for (uint8_t i = machine->header->operand_counts[opcode - 1]; i > 0; i--)
            reader_uleb(program);
    }
}

static void prepare_steps(struct machine *machine)
{
    const struct line_header *header = machine->header;
    for (unsigned opcode = header->opcode_base; opcode <= UINT8_MAX; opcode++) {
        unsigned adjusted = opcode - header->opcode_base;
        machine->steps[opcode] =
            (struct step){(uint8_t)(adjusted / header->line_range),
                          (int16_t)(header->line_base + (int)(adjusted % header->line_range))};
    }
}

/* Reader and state are locals, which compilers keep in registers. */
static int run(struct machine *machine)
{
    struct reader program = machine->header->program;
    struct row state;
    int error = 0;
    start_sequence(machine, &state);
    while (!error && !program.failed && reader_left(&program)) {
        uint8_t opcode = reader_u8(&program);
        if (opcode >= machine->header->opcode_base) {
            run_special(machine, &state, opcode);
            error = emit_row(machine, &state);
        } else if (opcode == DW_LNS_copy) {
            error = emit_row(machine, &state);
        } else if (opcode != 0) {
            run_standard(machine, &state, &program, opcode);
        } else {
            uint64_t bytes = reader_uleb(&program);
            const unsigned char *operands = reader_take(&program, bytes);
            struct row next = state;
            if (operands && bytes)
                error = run_extended(machine, &next,
                                     (struct reader){.bytes = operands, .length = bytes});
            state = next;
        }
    }
    machine->is_damaged = error || program.failed;
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

static bool are_apart(const struct machine *machine)
{
    for (size_t i = 1; i < machine->sequence_count; i++)
        if (machine->sequences[i].start < machine->sequences[i - 1].end)
            return false;
    return !machine->falls;
}

/* Sequences that overlap are no compiler's work, and sorted row by row. */
static int add_sorted_rows(struct machine *machine, struct line_table *table)
{
    _cleanup_free_ struct row *sorted = calloc(machine->row_count + 1, sizeof *sorted);
    size_t count = 0;
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < machine->sequence_count; i++) {
        const struct sequence *sequence = &machine->sequences[i];
        memcpy(sorted + count, machine->rows + sequence->first, sequence->count * sizeof *sorted);
        count += sequence->count;
    }
    for (size_t i = 0; i < count; i++)
        sorted[i].order = (uint32_t)i;
    qsort(sorted, count, sizeof *sorted, compare_rows);
    for (size_t i = 0; i < count; i++)
        add_row(table, &sorted[i]);
    return 0;
}

static int add_rows(struct machine *machine, struct line_table *table)
{
    table->rows = malloc((machine->row_count + 1) * sizeof *table->rows);
    if (!table->rows)
        return -ENOMEM;
    table->capacity = machine->row_count + 1;
    if (machine->sequence_count)
        qsort(machine->sequences, machine->sequence_count, sizeof *machine->sequences,
              compare_sequences);
    if (!are_apart(machine))
        return add_sorted_rows(machine, table);
    for (size_t i = 0; i < machine->sequence_count; i++) {
        const struct sequence *sequence = &machine->sequences[i];
        for (size_t k = 0; k < sequence->count; k++)
            add_row(table, &machine->rows[sequence->first + k]);
    }
    return 0;
}

int line_table_read(struct line_header *header, uint64_t text_vaddr, struct line_table *ret_table)
{
    struct machine machine = {.header = header, .text_vaddr = text_vaddr};
    struct line_table table = {0};
    prepare_steps(&machine);
    int error = run(&machine);
    if (!error)
        error = add_rows(&machine, &table);
    table.is_damaged = machine.is_damaged;
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
