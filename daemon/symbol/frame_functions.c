/* Reads the sorted index of call frame information. */
#include "symbol/frame_functions.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/dwarf_reader.h"

#define INDEX_VERSION 1
/* Pointer encodings (LSB Core): relative to the index, to the field itself; 4 bytes. */
#define ENCODING_UDATA4 0x03
#define ENCODING_PCREL_SDATA4 0x1b
#define ENCODING_DATAREL_SDATA4 0x3b

struct section {
    unsigned char *bytes; /* owned */
    size_t length;
    uint64_t vaddr;
};

static void free_section(struct section *section)
{
    free(section->bytes);
}

static int read_section(const struct elf_reader *file, const char *name,
                        struct section *ret_section)
{
    const struct elf_section *section = elf_reader_section(file, name);
    if (!section)
        return -ENOENT;
    ret_section->vaddr = section->vaddr;
    return elf_reader_read(file, section, &ret_section->bytes, &ret_section->length);
}

static uint64_t read_relative(struct reader *reader, uint64_t base)
{
    return base + (uint64_t)(int64_t)(int32_t)reader_u32(reader);
}

/*
 * How long the function of an entry is: length, CIE, start and range, of 4 bytes each. 0 when it
 * is not encoded like that, which shows in a start other than the index has.
 */
static uint32_t entry_range(const struct section *frames, uint64_t entry, uint64_t start)
{
    uint64_t offset = entry - frames->vaddr;
    if (entry < frames->vaddr || offset >= frames->length)
        return 0;
    struct reader reader = {
        .bytes = frames->bytes, .length = frames->length, .offset = (size_t)offset};
    reader_take(&reader, 8);
    uint64_t own_start = read_relative(&reader, entry + 8);
    uint32_t range = reader_u32(&reader);
    return reader.failed || own_start != start ? 0 : range;
}

/* The number of entries; 0 when the header is not one that linkers write. */
static size_t read_header(struct reader *reader)
{
    static const unsigned char expected[] = {INDEX_VERSION, ENCODING_PCREL_SDATA4, ENCODING_UDATA4,
                                             ENCODING_DATAREL_SDATA4};
    const void *header = reader_take(reader, sizeof expected);
    reader_take(reader, 4); /* where .eh_frame is */
    uint32_t count = reader_u32(reader);
    if (reader->failed || memcmp(header, expected, sizeof expected) != 0)
        return 0;
    return count <= reader_left(reader) / 8 ? count : 0;
}

static int read_entries(const struct section *index, const struct section *frames,
                        struct frame_functions *functions)
{
    struct reader reader = {.bytes = index->bytes, .length = index->length};
    size_t count = read_header(&reader);
    _cleanup_free_ struct range *ranges = calloc(count + 1, sizeof *ranges);
    functions->starts = calloc(count + 1, sizeof *functions->starts);
    if (!ranges || !functions->starts)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        uint64_t start = read_relative(&reader, index->vaddr);
        uint64_t entry = read_relative(&reader, index->vaddr);
        functions->starts[i] = start;
        ranges[i] = (struct range){
            .start = start,
            .end = start + entry_range(frames, entry, start),
            .value = (uint32_t)i,
            .order = (uint32_t)i,
        };
    }
    functions->count = count;
    return range_map_build(ranges, count, &functions->map);
}

int frame_functions_read(const struct elf_reader *file, struct frame_functions *ret_functions)
{
    _cleanup_(free_section) struct section index = {0}, frames = {0};
    struct frame_functions functions = {0};
    *ret_functions = functions;
    int error = read_section(file, ".eh_frame_hdr", &index);
    if (!error)
        error = read_section(file, ".eh_frame", &frames);
    if (error)
        return error == -ENOMEM ? error : 0;
    error = read_entries(&index, &frames, &functions);
    if (error)
        frame_functions_free(&functions);
    else
        *ret_functions = functions;
    return error;
}

uint64_t frame_functions_start(const struct frame_functions *functions, uint64_t vaddr)
{
    uint32_t found = range_map_find(&functions->map, vaddr);
    return found < functions->count ? functions->starts[found] : vaddr;
}

size_t frame_functions_bytes(const struct frame_functions *functions)
{
    return functions->count * sizeof *functions->starts + range_map_bytes(&functions->map);
}

void frame_functions_free(struct frame_functions *functions)
{
    free(functions->starts);
    range_map_free(&functions->map);
    *functions = (struct frame_functions){0};
}
