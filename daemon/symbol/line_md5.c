/* The sources' MD5 sums in the line table headers of DWARF 5, which libdw does not tell. */
#include "symbol/line_md5.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/dwarf_reader.h"

#define FILES_MAX (1u << 20)

/* What each entry of a table of directories or files consists of. */
struct format {
    struct {
        uint64_t content, form;
    } parts[UINT8_MAX];
    unsigned count;
};

static void read_format(struct reader *reader, struct format *ret_format)
{
    ret_format->count = reader_u8(reader);
    for (unsigned i = 0; i < ret_format->count; i++) {
        ret_format->parts[i].content = reader_uleb(reader);
        ret_format->parts[i].form = reader_uleb(reader);
    }
}

/* How long a form is that has one length; 0 for the others. */
static size_t fixed_bytes(uint64_t form, unsigned offset_bytes)
{
    switch (form) {
    case DW_FORM_strp:
    case DW_FORM_line_strp:
    case DW_FORM_strp_sup:
    case DW_FORM_sec_offset:
        return offset_bytes;
    case DW_FORM_data1:
    case DW_FORM_strx1:
        return 1;
    case DW_FORM_data2:
    case DW_FORM_strx2:
        return 2;
    case DW_FORM_strx3:
        return 3;
    case DW_FORM_data4:
    case DW_FORM_strx4:
        return 4;
    case DW_FORM_data8:
        return 8;
    case DW_FORM_data16:
        return 16;
    default:
        return 0;
    }
}

/* Every form takes at least a byte, or fails: so tables end with the section. */
static void skip_form(struct reader *reader, uint64_t form, unsigned offset_bytes)
{
    size_t bytes = fixed_bytes(form, offset_bytes);
    if (bytes) {
        reader_take(reader, bytes);
        return;
    }
    switch (form) {
    case DW_FORM_string:
        reader_string(reader);
        break;
    case DW_FORM_udata:
    case DW_FORM_strx:
        reader_uleb(reader);
        break;
    case DW_FORM_block:
        reader_take(reader, reader_uleb(reader));
        break;
    case DW_FORM_block1:
        reader_take(reader, reader_u8(reader));
        break;
    case DW_FORM_block2:
        reader_take(reader, reader_u16(reader));
        break;
    case DW_FORM_block4:
        reader_take(reader, reader_u32(reader));
        break;
    default:
        reader->failed = true;
    }
}

/* One entry; the bytes of its sum, or NULL. Borrowed. */
static const unsigned char *read_entry(struct reader *reader, const struct format *format,
                                       unsigned offset_bytes)
{
    const unsigned char *sum = NULL;
    for (unsigned i = 0; i < format->count && !reader->failed; i++) {
        if (format->parts[i].content == DW_LNCT_MD5 && format->parts[i].form == DW_FORM_data16)
            sum = reader_take(reader, MD5_BYTES);
        else
            skip_form(reader, format->parts[i].form, offset_bytes);
    }
    return sum;
}

static bool has_sums(const struct format *format)
{
    for (unsigned i = 0; i < format->count; i++)
        if (format->parts[i].content == DW_LNCT_MD5 && format->parts[i].form == DW_FORM_data16)
            return true;
    return false;
}

/* Up to the table of directories; the reader ends with the unit. Returns the bytes of an offset. */
static unsigned read_start(struct reader *reader)
{
    unsigned offset_bytes = 4;
    uint64_t unit_bytes = reader_u32(reader);
    if (unit_bytes == UINT32_MAX) {
        unit_bytes = reader_u64(reader);
        offset_bytes = 8;
    }
    if (unit_bytes > reader_left(reader))
        reader->failed = true;
    else
        reader->length = reader->offset + unit_bytes;
    if (reader_u16(reader) != 5)
        reader->failed = true;
    reader_take(reader, 2 + offset_bytes); /* address and segment sizes, header length */
    reader_take(reader, 5);                /* instruction lengths, line base and range */
    unsigned opcodes = reader_u8(reader);
    reader_take(reader, opcodes ? opcodes - 1 : 0);
    return offset_bytes;
}

int line_md5_read(const unsigned char *debug_line, size_t length, uint64_t offset,
                  struct line_md5 *ret_md5)
{
    struct reader reader = {.bytes = debug_line, .length = length, .offset = offset};
    struct format format;
    if (!debug_line || offset >= length)
        return 0;
    unsigned offset_bytes = read_start(&reader);
    read_format(&reader, &format);
    uint64_t directories = reader_uleb(&reader);
    for (uint64_t i = 0; i < directories && format.count && !reader.failed; i++)
        read_entry(&reader, &format, offset_bytes);
    read_format(&reader, &format);
    uint64_t files = reader_uleb(&reader);
    /* Each sum takes its bytes in the section: a count beyond that is a lie. */
    if (reader.failed || !has_sums(&format) || files > FILES_MAX ||
        files > reader_left(&reader) / MD5_BYTES)
        return 0;
    struct line_md5 md5 = {.sums = calloc(files + 1, sizeof *md5.sums)};
    if (!md5.sums)
        return -ENOMEM;
    for (; md5.count < files; md5.count++) {
        const unsigned char *sum = read_entry(&reader, &format, offset_bytes);
        if (reader.failed || !sum)
            break;
        memcpy(md5.sums[md5.count], sum, MD5_BYTES);
    }
    *ret_md5 = md5;
    return 0;
}

const unsigned char *line_md5_get(const struct line_md5 *md5, size_t index)
{
    static const unsigned char unknown[MD5_BYTES];
    if (index >= md5->count || memcmp(md5->sums[index], unknown, MD5_BYTES) == 0)
        return NULL;
    return md5->sums[index];
}

void line_md5_free(struct line_md5 *md5)
{
    free(md5->sums);
    *md5 = (struct line_md5){0};
}
