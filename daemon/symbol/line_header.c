/* Reads line program headers: two layouts of tables, before DWARF 5 and since. */
#include "symbol/line_header.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/dwarf_reader.h"
#include "symbol/path.h"

#define ENTRIES_MAX (1u << 20)

/* Where strings are, and how wide an offset to one is. */
struct strings {
    const struct line_sections *sections;
    unsigned offset_bytes;
};

/* What each entry of a DWARF 5 table of directories or files consists of. */
struct format {
    struct {
        uint64_t content, form;
    } parts[UINT8_MAX];
    unsigned count;
};

struct entry {
    const char *name;
    uint64_t directory;
    const unsigned char *md5;
};

/* Many entries may name one endless string: its end is looked for where a path may have it. */
static const char *string_at(const struct span *section, uint64_t offset)
{
    if (!section->bytes || offset >= section->length)
        return NULL;
    struct reader reader = span_reader(*section, offset);
    if (reader_left(&reader) > PATH_BYTES_MAX)
        reader.length = reader.offset + PATH_BYTES_MAX;
    return reader_string(&reader);
}

static const char *read_string(struct reader *reader, const struct strings *strings, uint64_t form)
{
    switch (form) {
    case DW_FORM_string:
        return reader_string(reader);
    case DW_FORM_line_strp:
        return string_at(&strings->sections->line_str, reader_uint(reader, strings->offset_bytes));
    case DW_FORM_strp:
        return string_at(&strings->sections->str, reader_uint(reader, strings->offset_bytes));
    case DW_FORM_strp_sup:
        reader_take(reader, strings->offset_bytes);
        return NULL;
    default:
        reader->failed = true;
        return NULL;
    }
}

/* The forms that DWARF 5 §6.2.4.1 allows for numbers; 0 for those that are only stepped over. */
static uint64_t read_number(struct reader *reader, uint64_t form)
{
    switch (form) {
    case DW_FORM_data1:
        return reader_u8(reader);
    case DW_FORM_data2:
        return reader_u16(reader);
    case DW_FORM_data4:
        return reader_u32(reader);
    case DW_FORM_data8:
        return reader_u64(reader);
    case DW_FORM_udata:
        return reader_uleb(reader);
    case DW_FORM_data16:
        reader_take(reader, 16);
        return 0;
    case DW_FORM_block:
        reader_take(reader, reader_uleb(reader));
        return 0;
    default:
        reader->failed = true;
        return 0;
    }
}

static bool is_string_form(uint64_t form)
{
    return form == DW_FORM_string || form == DW_FORM_line_strp || form == DW_FORM_strp ||
           form == DW_FORM_strp_sup;
}

static void read_format(struct reader *reader, struct format *ret_format)
{
    ret_format->count = reader_u8(reader);
    for (unsigned i = 0; i < ret_format->count; i++) {
        ret_format->parts[i].content = reader_uleb(reader);
        ret_format->parts[i].form = reader_uleb(reader);
    }
}

static struct entry read_entry(struct reader *reader, const struct strings *strings,
                               const struct format *format)
{
    struct entry entry = {0};
    for (unsigned i = 0; i < format->count && !reader->failed; i++) {
        uint64_t content = format->parts[i].content, form = format->parts[i].form;
        if (is_string_form(form)) {
            const char *text = read_string(reader, strings, form);
            if (content == DW_LNCT_path)
                entry.name = text;
        } else if (content == DW_LNCT_MD5 && form == DW_FORM_data16) {
            entry.md5 = reader_take(reader, MD5_BYTES);
        } else {
            uint64_t number = read_number(reader, form);
            if (content == DW_LNCT_directory_index)
                entry.directory = number;
        }
    }
    return entry;
}

static int add_directory(struct line_header *header, const char *name)
{
    if (array_reserve(&header->directories, &header->directory_capacity,
                      header->directory_count + 1, sizeof *header->directories))
        return -ENOMEM;
    /* Directory 0 is the compilation's own: relative, it would come twice. */
    bool is_known = header->directory_count > 0 || (name && name[0] == '/');
    header->directories[header->directory_count++] = is_known ? name : NULL;
    return 0;
}

static const unsigned char *known_sum(const unsigned char *md5)
{
    static const unsigned char unknown[MD5_BYTES];
    return md5 && memcmp(md5, unknown, MD5_BYTES) != 0 ? md5 : NULL;
}

static int add_file(struct line_header *header, const struct entry *entry)
{
    if (array_reserve(&header->files, &header->file_capacity, header->file_count + 1,
                      sizeof *header->files))
        return -ENOMEM;
    header->files[header->file_count++] = (struct line_file){
        .directory = entry->directory < header->directory_count
                         ? header->directories[entry->directory]
                         : NULL,
        .name = entry->name,
        .md5 = known_sum(entry->md5),
    };
    return 0;
}

/* A count is believed as far as entries follow: each takes a byte, or the reader fails. */
static int read_tables(struct line_header *header, struct reader *reader,
                       const struct strings *strings)
{
    struct format format;
    int error = 0;
    read_format(reader, &format);
    uint64_t directories = reader_uleb(reader);
    for (uint64_t i = 0; i < directories && format.count && !reader->failed && !error; i++)
        error = i >= ENTRIES_MAX ? -EBADMSG
                                 : add_directory(header, read_entry(reader, strings, &format).name);
    read_format(reader, &format);
    uint64_t files = error ? 0 : reader_uleb(reader);
    for (uint64_t i = 0; i < files && format.count && !reader->failed && !error; i++) {
        struct entry entry = read_entry(reader, strings, &format);
        error = i >= ENTRIES_MAX ? -EBADMSG : add_file(header, &entry);
    }
    return error;
}

/* Before DWARF 5: directory 0 is the compilation's, file 0 is nobody's. */
static int read_old_tables(struct line_header *header, struct reader *reader)
{
    int error = add_directory(header, NULL);
    const char *name;
    while (!error && (name = reader_string(reader)) && name[0])
        error = header->directory_count > ENTRIES_MAX ? -EBADMSG : add_directory(header, name);
    if (!error)
        error = add_file(header, &(struct entry){0});
    while (!error && !reader->failed && reader_left(reader) && reader->bytes[reader->offset])
        error = line_header_define_file(header, reader);
    reader_take(reader, 1);
    return error;
}

int line_header_define_file(struct line_header *header, struct reader *operands)
{
    struct entry entry = {.name = reader_string(operands)};
    entry.directory = reader_uleb(operands);
    reader_uleb(operands); /* time */
    reader_uleb(operands); /* length */
    if (operands->failed || header->file_count > ENTRIES_MAX)
        return 0;
    return add_file(header, &entry);
}

/* A reader that ends with the program; its offset bytes are 4, or 8 in the 64-bit format. */
static struct reader read_extent(const struct span *section, uint64_t offset,
                                 unsigned *ret_offset_bytes)
{
    struct reader reader = {.bytes = section->bytes, .length = section->length};
    reader.failed = !section->bytes || offset >= section->length;
    reader.offset = reader.failed ? 0 : (size_t)offset;
    uint64_t unit_bytes = reader_u32(&reader);
    *ret_offset_bytes = unit_bytes == UINT32_MAX ? 8 : 4;
    if (*ret_offset_bytes == 8)
        unit_bytes = reader_u64(&reader);
    if (unit_bytes > reader_left(&reader))
        reader.failed = true;
    else
        reader.length = reader.offset + (size_t)unit_bytes;
    return reader;
}

uint64_t line_header_extent(const struct line_sections *sections, uint64_t offset)
{
    unsigned offset_bytes;
    struct reader reader = read_extent(&sections->line, offset, &offset_bytes);
    return reader.failed ? 0 : reader.length - offset;
}

/* Where the program starts is told relative to the field that tells it. */
static void read_program_start(struct line_header *header, struct reader *reader,
                               unsigned offset_bytes)
{
    uint64_t header_bytes = reader_uint(reader, offset_bytes);
    header->program = *reader;
    reader_take(&header->program, header_bytes > SIZE_MAX ? SIZE_MAX : (size_t)header_bytes);
    reader->failed |= header->program.failed;
}

static int read_encoding(struct line_header *header, struct reader *reader, unsigned offset_bytes)
{
    header->version = reader_u16(reader);
    if (header->version < 2 || header->version > 5)
        return -EBADMSG;
    if (header->version >= 5)
        reader_take(reader, 2); /* address and segment selector sizes */
    read_program_start(header, reader, offset_bytes);
    header->instruction_bytes = reader_u8(reader);
    header->operations = header->version >= 4 ? reader_u8(reader) : 1;
    reader_take(reader, 1); /* default_is_stmt: every row counts here */
    header->line_base = (int8_t)reader_u8(reader);
    header->line_range = reader_u8(reader);
    header->opcode_base = reader_u8(reader);
    header->operand_counts = reader_take(reader, header->opcode_base ? header->opcode_base - 1 : 0);
    return reader->failed || !header->operations || !header->line_range || !header->opcode_base
               ? -EBADMSG
               : 0;
}

int line_header_read(const struct line_sections *sections, uint64_t offset,
                     struct line_header *ret_header)
{
    struct strings strings = {.sections = sections};
    struct reader reader = read_extent(&sections->line, offset, &strings.offset_bytes);
    struct line_header header = {0};
    int error = read_encoding(&header, &reader, strings.offset_bytes);
    if (!error)
        error = header.version >= 5 ? read_tables(&header, &reader, &strings)
                                    : read_old_tables(&header, &reader);
    if (!error && reader.failed)
        error = -EBADMSG;
    if (error)
        line_header_free(&header);
    else
        *ret_header = header;
    return error;
}

size_t line_header_bytes(const struct line_header *header)
{
    return header->file_capacity * sizeof *header->files +
           header->directory_capacity * sizeof *header->directories;
}

void line_header_free(struct line_header *header)
{
    free(header->files);
    free(header->directories);
    *header = (struct line_header){0};
}
