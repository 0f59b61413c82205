/* Reads .dwo files, and finds units in .dwp packages through their index. */
#include "symbol/split_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/dwarf_reader.h"

/* What we are willing to hold of one unit; the largest of real programs have some 50 MB. */
#define PART_BYTES_MAX (UINT64_C(256) << 20)
#define COLUMNS_MAX 16

static const char *const section_names[SPLIT_SECTIONS] = {
    [SPLIT_INFO] = ".debug_info.dwo",
    [SPLIT_ABBREVIATIONS] = ".debug_abbrev.dwo",
    [SPLIT_STRING_OFFSETS] = ".debug_str_offsets.dwo",
    [SPLIT_RANGE_LISTS] = ".debug_rnglists.dwo",
};

struct content {
    unsigned char *bytes; /* owned; NULL until it is read */
    size_t length;
};

struct split_file {
    struct elf_reader *reader; /* owned */
    struct content index;      /* .debug_cu_index: a package has it */
    struct content strings;
    struct content inflated[SPLIT_SECTIONS]; /* of a package whose sections are compressed */
};

static void free_file(struct split_file **file)
{
    split_file_free(*file);
}

/* Reads a section unless that is done. */
static int read_once(struct split_file *file, const char *name, struct content *content)
{
    const struct elf_section *section = elf_reader_section(file->reader, name);
    if (content->bytes || !section)
        return 0;
    return elf_reader_read(file->reader, section, &content->bytes, &content->length);
}

int split_file_open(int fd_to_take, struct split_file **ret_file)
{
    _cleanup_close_ int fd = fd_to_take;
    _cleanup_(free_file) struct split_file *file = calloc(1, sizeof *file);
    if (!file)
        return -ENOMEM;
    int error = elf_reader_open(fd, &file->reader);
    if (error)
        return error == -ENOMEM ? error : -ENOENT;
    take_fd(&fd);
    file->reader->owns_fd = true;
    if (!elf_reader_section(file->reader, section_names[SPLIT_INFO]) ||
        !elf_reader_section(file->reader, section_names[SPLIT_ABBREVIATIONS]))
        return -ENOENT;
    error = read_once(file, ".debug_cu_index", &file->index);
    if (error)
        return error == -ENOMEM ? error : -ENOENT;
    *ret_file = take_pointer(file);
    return 0;
}

void split_file_free(struct split_file *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < SPLIT_SECTIONS; i++)
        free(file->inflated[i].bytes);
    free(file->strings.bytes);
    free(file->index.bytes);
    elf_reader_free(file->reader);
    free(file);
}

size_t split_file_bytes(const struct split_file *file)
{
    if (!file)
        return 0;
    size_t bytes = sizeof *file + file->index.length + file->strings.length;
    for (size_t i = 0; i < SPLIT_SECTIONS; i++)
        bytes += file->inflated[i].length;
    return bytes;
}

int split_file_strings(struct split_file *file, struct span *ret_strings)
{
    int error = read_once(file, ".debug_str.dwo", &file->strings);
    if (!error)
        *ret_strings = (struct span){file->strings.bytes, file->strings.length};
    return error;
}

/* --- the index of a package ----------------------------------------------------------------- */

/* Where a unit's part of each section is; no bytes: there is none. */
struct places {
    uint64_t offset[SPLIT_SECTIONS], bytes[SPLIT_SECTIONS];
};

struct index {
    uint32_t version, columns, units, slots;
    struct span span;
    uint64_t hashes, rows, offsets, sizes; /* where these tables start */
};

/* What the column of a section number holds (DWARF 5 table 7.1; GNU's numbers are version 2). */
static enum split_section column_section(const struct index *index, uint32_t number)
{
    switch (number) {
    case 1:
        return SPLIT_INFO;
    case 3:
        return SPLIT_ABBREVIATIONS;
    case 6:
        return SPLIT_STRING_OFFSETS;
    case 8:
        return index->version >= 5 ? SPLIT_RANGE_LISTS : SPLIT_SECTIONS;
    default:
        return SPLIT_SECTIONS;
    }
}

static uint64_t index_u32(const struct index *index, uint64_t offset)
{
    struct reader reader = span_reader(index->span, offset);
    return reader_u32(&reader);
}

static int read_index(struct span span, struct index *ret_index)
{
    struct reader reader = span_reader(span, 0);
    struct index index = {.span = span, .version = reader_u32(&reader) & 0xffff};
    index.columns = reader_u32(&reader);
    index.units = reader_u32(&reader);
    index.slots = reader_u32(&reader);
    bool is_power = index.slots && (index.slots & (index.slots - 1)) == 0;
    if (reader.failed || (index.version != 2 && index.version != 5) || !is_power ||
        index.columns > COLUMNS_MAX)
        return -ENOENT;
    uint64_t row_bytes = UINT64_C(4) * index.columns;
    index.hashes = reader.offset;
    index.rows = index.hashes + UINT64_C(8) * index.slots;
    index.offsets = index.rows + UINT64_C(4) * index.slots;
    index.sizes = index.offsets + row_bytes * (UINT64_C(1) + index.units);
    if (index.sizes + row_bytes * index.units > span.length)
        return -ENOENT;
    *ret_index = index;
    return 0;
}

/* The row of a unit, from 1; 0 when the hash table has it nowhere. */
static uint64_t find_row(const struct index *index, uint64_t id)
{
    uint64_t mask = index->slots - 1;
    uint64_t slot = id & mask, step = (id >> 32 & mask) | 1;
    for (uint32_t tries = 0; tries < index->slots; tries++) {
        struct reader reader = span_reader(index->span, index->hashes + 8 * slot);
        uint64_t hash = reader_u64(&reader), row = index_u32(index, index->rows + 4 * slot);
        if (row == 0)
            return 0;
        if (hash == id)
            return row <= index->units ? row : 0;
        slot = (slot + step) & mask;
    }
    return 0;
}

static int find_in_package(const struct split_file *file, uint64_t id, struct places *ret_places)
{
    struct index index;
    struct places places = {0};
    int error = read_index((struct span){file->index.bytes, file->index.length}, &index);
    uint64_t row = error ? 0 : find_row(&index, id);
    if (row == 0)
        return -ENOENT;
    for (uint64_t i = 0; i < index.columns; i++) {
        enum split_section section =
            column_section(&index, (uint32_t)index_u32(&index, index.offsets + 4 * i));
        if (section == SPLIT_SECTIONS)
            continue;
        places.offset[section] = index_u32(&index, index.offsets + 4 * (row * index.columns + i));
        places.bytes[section] =
            index_u32(&index, index.sizes + 4 * ((row - 1) * index.columns + i));
    }
    *ret_places = places;
    return 0;
}

/* --- parts ---------------------------------------------------------------------------------- */

static int read_place(struct split_file *file, size_t which, uint64_t offset, uint64_t length,
                      unsigned char *bytes)
{
    const struct elf_section *section = elf_reader_section(file->reader, section_names[which]);
    uint64_t section_bytes = 0;
    int error = section ? elf_section_inflated_bytes(section, &section_bytes) : 0;
    if (error)
        return error;
    if (offset > section_bytes || length > section_bytes - offset)
        return -EBADMSG;
    if (!section->is_compressed)
        return elf_reader_read_part(file->reader, section, offset, length, bytes);
    error = read_once(file, section_names[which], &file->inflated[which]);
    if (!error)
        memcpy(bytes, file->inflated[which].bytes + offset, length);
    return error;
}

static int read_part(struct split_file *file, const struct places *places, struct split_part *part)
{
    for (size_t i = 0; i < SPLIT_SECTIONS; i++) {
        if (places->bytes[i] == 0)
            continue;
        part->bytes[i] = malloc(places->bytes[i]);
        if (!part->bytes[i])
            return -ENOMEM;
        part->length[i] = places->bytes[i];
        int error = read_place(file, i, places->offset[i], places->bytes[i], part->bytes[i]);
        if (error)
            return error;
    }
    return 0;
}

static int read_from_package(struct split_file *file, uint64_t id, struct split_part *part)
{
    struct places places;
    uint64_t sum = 0;
    int error = find_in_package(file, id, &places);
    if (error)
        return error;
    for (size_t i = 0; i < SPLIT_SECTIONS; i++)
        sum += places.bytes[i]; /* 32 bits each */
    return sum > PART_BYTES_MAX ? -EFBIG : read_part(file, &places, part);
}

/* Adds a section to what there is of its kind: type units are in sections of their own. */
static int append(const struct split_file *file, const struct elf_section *section, size_t which,
                  struct split_part *part)
{
    uint64_t bytes, sum = 0;
    int error = elf_section_inflated_bytes(section, &bytes);
    if (error)
        return error;
    for (size_t i = 0; i < SPLIT_SECTIONS; i++)
        sum += part->length[i];
    if (bytes > PART_BYTES_MAX - sum)
        return -EFBIG;
    unsigned char *grown = realloc(part->bytes[which], part->length[which] + bytes + 1);
    if (!grown)
        return -ENOMEM;
    part->bytes[which] = grown;
    error = elf_reader_read_into(file->reader, section, grown + part->length[which]);
    if (!error)
        part->length[which] += bytes;
    return error;
}

static int read_whole(const struct split_file *file, struct split_part *part)
{
    for (size_t i = 0; i < file->reader->section_count; i++) {
        const struct elf_section *section = &file->reader->sections[i];
        for (size_t which = 0; which < SPLIT_SECTIONS; which++) {
            if (!elf_section_is_stored(section) || strcmp(section->name, section_names[which]) != 0)
                continue;
            int error = append(file, section, which, part);
            if (error)
                return error;
        }
    }
    return 0;
}

int split_file_part(struct split_file *file, uint64_t id, struct split_part *ret_part)
{
    struct split_part part = {0};
    int error = file->index.bytes ? read_from_package(file, id, &part) : read_whole(file, &part);
    if (error)
        split_part_free(&part);
    else
        *ret_part = part;
    return error;
}

void split_part_free(struct split_part *part)
{
    for (size_t i = 0; i < SPLIT_SECTIONS; i++)
        free(part->bytes[i]);
    *part = (struct split_part){0};
}
