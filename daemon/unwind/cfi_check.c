/* Looks through call frame information before libdw does. */
#include "unwind/cfi_check.h"

#include <dwarf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/dwarf_reader.h"

/* More than any psABI numbers (x86-64: 146, aarch64: 128). */
#define REGISTERS_MAX 160
/* libdw copies all registers for each state that is remembered. */
#define REMEMBERED_MAX 64
/* The longest programs known are a tenth of that; each is run again for each new address. */
#define PROGRAM_BYTES_MAX 65536
/* Lengths from here on say that a longer length follows; no linker writes that to .eh_frame. */
#define LENGTH_ESCAPE 0xfffffff0u
#define LEB_BYTES_MAX 10

struct cie {
    uint64_t offset;
    uint8_t encoding; /* of addresses in its entries: DW_EH_PE_... */
    bool has_data;    /* its entries have augmentation data */
};

struct check {
    unsigned char *bytes; /* borrowed: what reader reads */
    struct reader reader;
    bool is_debug_frame; /* not .eh_frame: ids and references are different (DWARF 5 §6.4.1) */
    uint64_t vaddr;
    bool unsound;     /* something was passed over */
    struct cie *cies; /* owned; sound ones, ascending */
    size_t cie_count, cie_capacity;
    struct cfi_entry *entries; /* owned */
    size_t count, capacity;
};

static void check_clear(struct check *check)
{
    free(check->cies);
    free(check->entries);
}

/* What operands an instruction has, each by a letter. */
static const char *operands(uint8_t opcode)
{
    static const char *const extended[] = {
        [DW_CFA_nop] = "",
        [DW_CFA_set_loc] = "a",
        [DW_CFA_advance_loc1] = "1",
        [DW_CFA_advance_loc2] = "2",
        [DW_CFA_advance_loc4] = "4",
        [DW_CFA_offset_extended] = "ru",
        [DW_CFA_restore_extended] = "r",
        [DW_CFA_undefined] = "r",
        [DW_CFA_same_value] = "r",
        [DW_CFA_register] = "rr",
        [DW_CFA_remember_state] = "",
        [DW_CFA_restore_state] = "",
        [DW_CFA_def_cfa] = "ru",
        [DW_CFA_def_cfa_register] = "r",
        [DW_CFA_def_cfa_offset] = "u",
        [DW_CFA_def_cfa_expression] = "b",
        [DW_CFA_expression] = "rb",
        [DW_CFA_offset_extended_sf] = "ru",
        [DW_CFA_def_cfa_sf] = "ru",
        [DW_CFA_def_cfa_offset_sf] = "u",
        [DW_CFA_val_offset] = "ru",
        [DW_CFA_val_offset_sf] = "ru",
        [DW_CFA_val_expression] = "rb",
        [DW_CFA_GNU_window_save] = "", /* aarch64: DW_CFA_AARCH64_negate_ra_state */
        [DW_CFA_GNU_args_size] = "u",
        [DW_CFA_GNU_negative_offset_extended] = "ru",
    };
    switch (opcode & 0xc0) {
    case DW_CFA_advance_loc:
    case DW_CFA_restore:
        return "";
    case DW_CFA_offset:
        return "u";
    default:
        return opcode < array_length(extended) ? extended[opcode] : NULL;
    }
}

/* An over-long number is read differently by different readers. */
static uint64_t take_leb(struct reader *reader)
{
    size_t start = reader->offset;
    uint64_t value = reader_uleb(reader);
    reader->failed |= reader->offset - start > LEB_BYTES_MAX;
    return value;
}

/* Bytes of an address in this encoding; 0 for one that is not in use. */
static size_t encoded_bytes(uint8_t encoding)
{
    switch (encoding & 0x0f) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8:
        return 8;
    case DW_EH_PE_udata4:
    case DW_EH_PE_sdata4:
        return 4;
    default:
        return 0;
    }
}

static bool take_operand(struct reader *program, char kind, uint8_t encoding)
{
    switch (kind) {
    case 'r':
        return take_leb(program) < REGISTERS_MAX;
    case 'u':
        take_leb(program);
        return true;
    case 'b':
        return reader_take(program, take_leb(program)) != NULL;
    case 'a':
        return reader_take(program, encoded_bytes(encoding)) != NULL;
    default:
        return reader_take(program, (size_t)(kind - '0')) != NULL;
    }
}

static bool is_sound_program(struct check *check, struct reader *program, uint8_t encoding)
{
    unsigned remembered = 0;
    if (reader_left(program) > PROGRAM_BYTES_MAX)
        return false;
    while (reader_left(program) && !program->failed) {
        uint8_t opcode = reader_u8(program);
        if (opcode == DW_CFA_GNU_window_save)
            check->bytes[program->offset - 1] = DW_CFA_nop;
        const char *kinds = operands(opcode);
        if (!kinds)
            return false;
        for (; *kinds; kinds++)
            if (!take_operand(program, *kinds, encoding))
                return false;
        if (opcode == DW_CFA_remember_state && ++remembered > REMEMBERED_MAX)
            return false;
        if (opcode == DW_CFA_restore_state && remembered > 0)
            remembered--;
    }
    return !program->failed;
}

/* The data that goes with the letters of an augmentation after its 'z'. */
static bool take_augmentation(struct reader *data, const char *letters, struct cie *cie)
{
    for (; *letters; letters++) {
        uint8_t encoding;
        switch (*letters) {
        case 'R':
            cie->encoding = reader_u8(data);
            break;
        case 'L':
            reader_u8(data);
            break;
        case 'P':
            encoding = reader_u8(data);
            if (encoding == DW_EH_PE_omit || !encoded_bytes(encoding) ||
                (encoding & 0x70) == DW_EH_PE_aligned)
                return false;
            reader_take(data, encoded_bytes(encoding));
            break;
        case 'S': /* a signal frame */
        case 'B': /* aarch64: return addresses are signed with the B key */
            break;
        default:
            return false;
        }
    }
    return !data->failed;
}

/* `body` is after the id that says that it is a CIE. */
static bool read_cie(struct check *check, struct reader *body, struct cie *cie)
{
    uint8_t version = reader_u8(body);
    const char *augmentation = reader_string(body);
    if (!augmentation || (version != 1 && version != 3 && !(version == 4 && check->is_debug_frame)))
        return false;
    if (version == 4) {
        uint8_t address_bytes = reader_u8(body), selector_bytes = reader_u8(body);
        if (address_bytes != 8 || selector_bytes != 0)
            return false;
    }
    take_leb(body); /* code alignment */
    take_leb(body); /* data alignment */
    uint64_t return_column = version == 1 ? reader_u8(body) : take_leb(body);
    if (return_column >= REGISTERS_MAX)
        return false;
    cie->has_data = augmentation[0] == 'z';
    if (cie->has_data) {
        uint64_t bytes = take_leb(body);
        struct reader data = *body;
        if (!reader_take(body, bytes))
            return false;
        data.length = body->offset;
        if (!take_augmentation(&data, augmentation + 1, cie))
            return false;
    } else if (augmentation[0]) {
        return false;
    }
    return is_sound_program(check, body, cie->encoding);
}

static const struct cie *find_cie(const struct check *check, uint64_t offset)
{
    size_t low = 0, high = check->cie_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (check->cies[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < check->cie_count && check->cies[low].offset == offset ? &check->cies[low] : NULL;
}

/* `body` is after the reference to the CIE. */
static bool read_fde(struct check *check, struct reader *body, const struct cie *cie,
                     uint64_t *ret_start)
{
    size_t bytes = encoded_bytes(cie->encoding);
    unsigned relation = cie->encoding & 0xf0;
    uint64_t base = relation == DW_EH_PE_pcrel ? check->vaddr + body->offset : 0;
    if (bytes == 0 || (relation != DW_EH_PE_pcrel && relation != DW_EH_PE_absptr))
        return false;
    uint64_t start = reader_uint(body, (unsigned)bytes);
    if ((cie->encoding & 0x0f) == DW_EH_PE_sdata4)
        start = (uint64_t)(int32_t)start;
    uint64_t range = reader_uint(body, (unsigned)bytes);
    if (cie->has_data)
        reader_take(body, take_leb(body));
    *ret_start = base + start;
    return is_sound_program(check, body, cie->encoding) && range;
}

static int add_cie(struct check *check, const struct cie *cie)
{
    int error = array_reserve(&check->cies, &check->cie_capacity, check->cie_count + 1,
                              sizeof *check->cies);
    if (!error)
        check->cies[check->cie_count++] = *cie;
    return error;
}

static int add_entry(struct check *check, uint64_t start, uint64_t offset)
{
    int error =
        array_reserve(&check->entries, &check->capacity, check->count + 1, sizeof *check->entries);
    if (!error)
        check->entries[check->count++] = (struct cfi_entry){start, offset};
    return error;
}

/* Whether an entry with this id is a CIE; if not, where in the section its CIE is. */
static bool is_cie(const struct check *check, uint32_t id, uint64_t id_offset, uint64_t *ret_cie)
{
    *ret_cie = check->is_debug_frame ? id : id_offset - id;
    return id == (check->is_debug_frame ? UINT32_MAX : 0);
}

/* One CIE or FDE, which begins at `offset` with its length. */
static int check_entry(struct check *check, uint64_t offset, struct reader *body)
{
    uint64_t id_offset = body->offset, cie_offset, start;
    uint32_t id = reader_u32(body);
    if (is_cie(check, id, id_offset, &cie_offset)) {
        struct cie cie = {.offset = offset};
        if (!body->failed && read_cie(check, body, &cie))
            return add_cie(check, &cie);
    } else {
        const struct cie *cie = find_cie(check, cie_offset);
        if (!body->failed && cie && read_fde(check, body, cie, &start))
            return add_entry(check, start, offset);
    }
    check->unsound = true;
    return 0;
}

static int check_all(struct check *check)
{
    struct reader *reader = &check->reader;
    while (reader_left(reader)) {
        uint64_t offset = reader->offset;
        uint32_t length = reader_u32(reader);
        struct reader body = *reader;
        if (length >= LENGTH_ESCAPE || !reader_take(reader, length)) {
            check->unsound = true;
            break;
        }
        body.length = reader->offset;
        int error = check_entry(check, offset, &body);
        if (error)
            return error;
    }
    return 0;
}

static int by_start(const void *left, const void *right)
{
    const struct cfi_entry *a = left;
    const struct cfi_entry *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

int cfi_check(unsigned char *bytes, size_t length, uint64_t vaddr, struct cfi_entry **ret_entries,
              size_t *ret_count)
{
    _cleanup_(check_clear) struct check check = {.reader = {.bytes = bytes, .length = length},
                                                 .vaddr = vaddr};
    check.bytes = bytes;
    int error = check_all(&check);
    if (error)
        return error;
    if (check.count)
        qsort(check.entries, check.count, sizeof *check.entries, by_start);
    *ret_entries = take_pointer(check.entries);
    *ret_count = check.count;
    return 0;
}

int cfi_check_debug_frame(unsigned char *bytes, size_t length)
{
    _cleanup_(check_clear) struct check check = {.reader = {.bytes = bytes, .length = length},
                                                 .is_debug_frame = true};
    check.bytes = bytes;
    int error = check_all(&check);
    return error ? error : check.unsound ? -EBADMSG : 0;
}
