/* Parses Go's table of functions. */
#include "base/go_pclntab.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/dwarf_reader.h"

/* What one question about an address may cost: milliseconds, and no real function comes near it. */
#define STEPS_MAX (1u << 20)

#define STRING_BYTES_MAX ((size_t)64 << 10)

/* Where a function's record keeps the numbers of what Go calls PCDATA and FUNCDATA. */
#define INLINED_VALUES 2
#define INLINED_TREE 3

static struct reader reader_at(const struct go_pclntab *table, uint64_t offset)
{
    bool beyond = !table->bytes || offset > table->length;
    return (struct reader){.bytes = table->bytes,
                           .length = table->length,
                           .offset = beyond ? table->length : (size_t)offset,
                           .failed = beyond};
}

/* A name or a path, or NULL. Looking for the end of a longer one would take its time. */
static const char *string_at(const struct go_pclntab *table, uint64_t offset)
{
    struct reader reader = reader_at(table, offset);
    if (reader_left(&reader) > STRING_BYTES_MAX)
        reader.length = reader.offset + STRING_BYTES_MAX;
    return reader_string(&reader);
}

/* Addresses of functions are whole in old tables, and count from the start of the code in new ones.
 */
static size_t address_bytes(const struct go_pclntab *table)
{
    return table->version >= GO_1_18 ? 4 : 8;
}

static uint64_t read_address(const struct go_pclntab *table, struct reader *reader)
{
    return table->version >= GO_1_18 ? table->text + reader_u32(reader) : reader_u64(reader);
}

static bool read_version(struct reader *reader, struct go_pclntab *table)
{
    static const uint32_t magics[] = {[GO_1_2] = 0xfffffffb,
                                      [GO_1_16] = 0xfffffffa,
                                      [GO_1_18] = 0xfffffff0,
                                      [GO_1_20] = 0xfffffff1};
    uint32_t magic = reader_u32(reader);
    for (unsigned i = 0; i < sizeof magics / sizeof *magics; i++) {
        if (magic == magics[i]) {
            table->version = (enum go_version)i;
            return true;
        }
    }
    return false;
}

/* An offset from the table's start. */
static size_t read_part(const struct go_pclntab *table, struct reader *reader)
{
    uint64_t offset = reader_u64(reader);
    reader->failed |= offset >= table->length;
    return (size_t)offset;
}

static void read_parts(struct go_pclntab *table, struct reader *reader)
{
    reader_u64(reader); /* the number of files */
    if (table->version >= GO_1_18)
        table->text = reader_u64(reader);
    table->names = read_part(table, reader);
    table->units = read_part(table, reader);
    table->files = read_part(table, reader);
    table->values = read_part(table, reader);
    table->functions = read_part(table, reader);
}

/* Everything counts from the start, and the files follow the functions. */
static void read_old_parts(struct go_pclntab *table, struct reader *reader, uint64_t count)
{
    table->functions = reader->offset;
    struct reader files = reader_at(table, reader->offset);
    reader_take(&files, (size_t)(count * 16 + 8));
    table->files = reader_u32(&files);
    reader->failed |= files.failed || table->files >= table->length;
}

int go_pclntab_open(const void *bytes, size_t length, struct go_pclntab *ret_table)
{
    struct go_pclntab table = {.bytes = bytes, .length = length};
    struct reader reader = reader_at(&table, 0);
    if (__BYTE_ORDER != __LITTLE_ENDIAN || !read_version(&reader, &table))
        return -EBADMSG;
    uint16_t zero = reader_u16(&reader);
    table.quantum = reader_u8(&reader);
    uint8_t address = reader_u8(&reader);
    uint64_t count = reader_u64(&reader);
    if (reader.failed || zero != 0 || address != 8 ||
        count > length / (2 * address_bytes(&table)) || count >= UINT32_MAX ||
        (table.quantum != 1 && table.quantum != 4))
        return -EBADMSG;
    table.function_count = (uint32_t)count;
    if (table.version == GO_1_2)
        read_old_parts(&table, &reader, count);
    else
        read_parts(&table, &reader);
    struct reader functions = reader_at(&table, table.functions);
    reader_take(&functions, (count * 2 + 1) * address_bytes(&table));
    if (reader.failed || functions.failed || count == 0)
        return -EBADMSG;
    *ret_table = table;
    return 0;
}

/* Rows of address and record; the address alone is there once more, as the end of the last one. */
static uint64_t function_start(const struct go_pclntab *table, uint32_t index)
{
    struct reader reader =
        reader_at(table, table->functions + (uint64_t)index * 2 * address_bytes(table));
    return read_address(table, &reader);
}

static uint64_t function_record(const struct go_pclntab *table, uint32_t index)
{
    size_t bytes = address_bytes(table);
    struct reader reader = reader_at(table, table->functions + ((uint64_t)index * 2 + 1) * bytes);
    uint64_t offset = reader_uint(&reader, (unsigned)bytes);
    /* The old tables count from their start. */
    return table->version == GO_1_2 ? offset : table->functions + offset;
}

static const char *go_name(const struct go_pclntab *table, uint32_t offset)
{
    return string_at(table, (uint64_t)table->names + offset);
}

/* struct _func of src/runtime/runtime2.go. */
static bool read_function(const struct go_pclntab *table, uint64_t offset,
                          struct go_function *function)
{
    if (offset > table->length)
        return false;
    struct reader reader = reader_at(table, offset);
    uint64_t start = read_address(table, &reader);
    function->name = go_name(table, reader_u32(&reader));
    reader_u32(&reader); /* bytes of arguments */
    reader_u32(&reader); /* offset of a call for deferred functions */
    function->stack = reader_u32(&reader);
    function->file_numbers = reader_u32(&reader);
    function->lines = reader_u32(&reader);
    function->value_count = reader_u32(&reader);
    function->unit = table->version >= GO_1_16 ? reader_u32(&reader) : 0;
    function->line = table->version >= GO_1_20 ? reader_u32(&reader) : 0;
    reader_u8(&reader); /* which of the runtime's own functions it is */
    function->flags = reader_u8(&reader);
    reader_u8(&reader);
    function->data_count = reader_u8(&reader);
    function->value_offsets = reader.offset;
    function->data_offsets = reader.offset;
    return !reader.failed && function->name && start == function->start;
}

/* Data are addresses, and aligned, in tables before Go 1.18. */
static bool place_data(const struct go_pclntab *table, struct go_function *function)
{
    struct reader reader = reader_at(table, function->value_offsets);
    if (function->value_count > table->length / 4)
        return false;
    reader_take(&reader, (size_t)function->value_count * 4);
    if (table->version < GO_1_18)
        reader_take(&reader, -reader.offset % 8);
    function->data_offsets = reader.offset;
    reader_take(&reader, (size_t)function->data_count * address_bytes(table));
    return !reader.failed;
}

int go_pclntab_get(const struct go_pclntab *table, uint32_t index, struct go_function *ret_function)
{
    struct go_function function = {
        .start = function_start(table, index),
        .end = function_start(table, index + 1),
        .steps_left = STEPS_MAX,
    };
    if (function.start > function.end ||
        !read_function(table, function_record(table, index), &function) ||
        !place_data(table, &function))
        return -EBADMSG;
    *ret_function = function;
    return 0;
}

int go_pclntab_find(const struct go_pclntab *table, uint64_t vaddr,
                    struct go_function *ret_function)
{
    struct go_function function;
    uint32_t low = 0, high = table->function_count;
    if (vaddr < function_start(table, 0) || vaddr >= function_start(table, high))
        return -ENOENT;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (function_start(table, middle) <= vaddr)
            low = middle;
        else
            high = middle;
    }
    int error = go_pclntab_get(table, low, &function);
    if (error)
        return error;
    if (vaddr < function.start || vaddr >= function.end)
        return -EBADMSG;
    *ret_function = function;
    return 0;
}

/* A varint of 32 bits, of 5 bytes at most. */
static uint32_t read_varint(struct reader *reader)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = reader_u8(reader);
        value |= shift < 32 ? (uint32_t)(byte & 0x7f) << shift : 0;
        if (!(byte & 0x80))
            return value;
    }
    reader->failed = true;
    return 0;
}

/*
 * The value at `vaddr` of a table of pairs: by how much the value changes (zigzag), and for how
 * many quanta it holds. A change of 0 ends it, except at the start. -1 where it says nothing.
 */
static int32_t find_value(const struct go_pclntab *table, struct go_function *function,
                          uint32_t offset, uint64_t vaddr)
{
    struct reader reader = reader_at(table, (uint64_t)table->values + offset);
    uint64_t at = function->start;
    uint32_t value = UINT32_MAX;
    if (offset == 0)
        return -1;
    for (bool is_first = true; function->steps_left; is_first = false) {
        function->steps_left--;
        uint32_t change = read_varint(&reader);
        if (change == 0 && !is_first)
            return -1;
        value += change & 1 ? ~(change >> 1) : change >> 1;
        at += (uint64_t)read_varint(&reader) * table->quantum;
        if (reader.failed || at > function->end)
            return -1;
        if (vaddr < at)
            return (int32_t)value;
    }
    return -1;
}

/* Numbers lead to names by way of a table for each compilation unit, or, before that, of one. */
static const char *find_file(const struct go_pclntab *table, const struct go_function *function,
                             uint32_t number)
{
    bool is_old = table->version == GO_1_2;
    uint64_t position = (uint64_t)function->unit + number;
    struct reader reader = reader_at(table, (is_old ? table->files : table->units) + position * 4);
    uint32_t offset = reader_u32(&reader);
    if (reader.failed || offset == UINT32_MAX)
        return NULL;
    return string_at(table, (is_old ? 0 : (uint64_t)table->files) + offset);
}

bool go_function_place(const struct go_pclntab *table, struct go_function *function, uint64_t vaddr,
                       const char **ret_file, uint32_t *ret_line)
{
    int32_t number = find_value(table, function, function->file_numbers, vaddr);
    int32_t line = find_value(table, function, function->lines, vaddr);
    const char *file = number < 0 ? NULL : find_file(table, function, (uint32_t)number);
    if (!file || line <= 0)
        return false;
    *ret_file = file;
    *ret_line = (uint32_t)line;
    return true;
}

int32_t go_function_frame_bytes(const struct go_pclntab *table, struct go_function *function,
                                uint64_t vaddr)
{
    int32_t bytes = find_value(table, function, function->stack, vaddr);
    return bytes >= 0 && bytes % 8 == 0 ? bytes : -1;
}

int32_t go_function_inlined(const struct go_pclntab *table, struct go_function *function,
                            uint64_t vaddr)
{
    if (table->version == GO_1_2 || function->value_count <= INLINED_VALUES)
        return -1;
    struct reader reader = reader_at(table, function->value_offsets + INLINED_VALUES * 4);
    return find_value(table, function, reader_u32(&reader), vaddr);
}

bool go_function_tree(const struct go_pclntab *table, const struct go_function *function,
                      uint64_t *ret_place)
{
    if (table->version == GO_1_2 || function->data_count <= INLINED_TREE)
        return false;
    size_t bytes = address_bytes(table);
    struct reader reader = reader_at(table, function->data_offsets + INLINED_TREE * bytes);
    uint64_t place = reader_uint(&reader, (unsigned)bytes);
    if (place == (table->version >= GO_1_18 ? UINT32_MAX : 0))
        return false;
    *ret_place = place;
    return true;
}

size_t go_inlined_bytes(const struct go_pclntab *table)
{
    return table->version >= GO_1_20 ? 16 : 20;
}

bool go_inlined_read(const struct go_pclntab *table, const struct go_function *function,
                     const unsigned char *entry, struct go_inlined *ret_inlined)
{
    struct reader reader = {.bytes = entry, .length = go_inlined_bytes(table)};
    bool is_new = table->version >= GO_1_20;
    reader_take(&reader,
                is_new ? 4 : 12); /* which function it is; before, also where it is called */
    uint32_t name = reader_u32(&reader);
    uint32_t call = reader_u32(&reader);
    struct go_inlined inlined = {
        .name = go_name(table, name),
        .line = is_new ? reader_u32(&reader) : 0,
        .call_vaddr = function->start + call,
    };
    bool starts = name == 0 || (inlined.name && inlined.name[-1] == '\0');
    if (!inlined.name || !inlined.name[0] || !starts || call >= function->end - function->start)
        return false;
    *ret_inlined = inlined;
    return true;
}
