/* Finds split units by their id, and reads the names of functions in them. */
#include "symbol/split_unit.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/dwarf_reader.h"
#include "symbol/die_value.h"

#define REFERENCES_MAX 16
/* Of abbreviations, read in search of one unit: a file may claim to hold millions of units. */
#define SEARCH_BYTES_MAX (UINT64_C(256) << 20)

/* An id of DWARF 5 is in the header; GNU's for DWARF 4 is an attribute of the root. */
struct identity {
    bool is_split_unit, known;
    uint64_t id;
};

/* Reads the header at the reader and steps over its unit. False when it is broken. */
static bool read_header(struct reader *reader, struct unit_header *unit, struct identity *identity)
{
    *unit = (struct unit_header){.offset = reader->offset, .offset_bytes = 4};
    *identity = (struct identity){0};
    uint64_t length = reader_u32(reader);
    if (length == UINT32_MAX) {
        unit->offset_bytes = 8;
        length = reader_u64(reader);
    }
    if (reader->failed || length > reader_left(reader))
        return false;
    unit->end = reader->offset + length;
    unit->version = reader_u16(reader);
    if (unit->version >= 5) {
        uint8_t type = reader_u8(reader);
        unit->address_bytes = reader_u8(reader);
        unit->abbreviations = reader_uint(reader, unit->offset_bytes);
        identity->is_split_unit = identity->known = type == DW_UT_split_compile;
        identity->id = identity->known ? reader_u64(reader) : 0;
    } else {
        unit->abbreviations = reader_uint(reader, unit->offset_bytes);
        unit->address_bytes = reader_u8(reader);
        identity->is_split_unit = true;
    }
    unit->first_die = reader->offset;
    if (reader->failed || unit->version < 4 || unit->version > 5 || unit->first_die > unit->end)
        return false;
    reader->offset = unit->end;
    return true;
}

/* A reader at the attributes of the DIE at `offset`. NULL when there is none. */
static const struct abbreviation *enter_die(const struct split_unit *unit, uint64_t offset,
                                            struct reader *ret_reader)
{
    struct span bytes = {unit->data.info.bytes, unit->data.header.end};
    *ret_reader = span_reader(bytes, offset);
    uint64_t code = reader_uleb(ret_reader);
    return ret_reader->failed ? NULL : abbreviations_get(&unit->abbreviations, code);
}

static const struct abbreviation_attribute *attributes_of(const struct split_unit *unit,
                                                          const struct abbreviation *abbreviation)
{
    return unit->abbreviations.attributes + abbreviation->first_attribute;
}

/* The id that the root DIE states. False when it states none. */
static bool read_root_id(const struct split_unit *unit, uint64_t *ret_id)
{
    const struct unit_header *header = &unit->data.header;
    struct reader reader;
    const struct abbreviation *root = enter_die(unit, header->first_die, &reader);
    for (uint32_t i = 0; root && i < root->attribute_count && !reader.failed; i++) {
        const struct abbreviation_attribute *attribute = &attributes_of(unit, root)[i];
        uint32_t form = form_resolve(&reader, attribute->form);
        if (attribute->name == DW_AT_GNU_dwo_id) {
            *ret_id = die_value_constant(&reader, header, attribute, form);
            return !reader.failed;
        }
        form_skip(&reader, header, form);
    }
    return false;
}

/*
 * Looks through the units of data.info. Of equal ids one of another version is another build's:
 * compilers make them of the source's meaning. 0, -ENOENT or -ENOMEM.
 */
static int find_unit(struct split_unit *unit, uint64_t id, uint16_t version)
{
    struct reader reader = span_reader(unit->data.info, 0);
    struct identity identity;
    uint64_t searched = 0;
    while (reader_left(&reader) && searched < SEARCH_BYTES_MAX &&
           read_header(&reader, &unit->data.header, &identity)) {
        if (!identity.is_split_unit || unit->data.header.version != version ||
            (identity.known && identity.id != id))
            continue;
        searched += unit->data.abbreviations.length;
        int error =
            abbreviations_read(&unit->data.header, unit->data.abbreviations, &unit->abbreviations);
        if (error == -ENOMEM)
            return error;
        if (!error && (identity.known || read_root_id(unit, &identity.id)) && identity.id == id)
            return 0;
        abbreviations_free(&unit->abbreviations);
    }
    return -ENOENT;
}

static struct span part_span(const struct split_part *part, enum split_section section)
{
    return (struct span){part->bytes[section], part->length[section]};
}

/* Where tables of DWARF 5 begin behind their headers; GNU's have none (§7.26, §7.28). */
static void set_bases(struct split_unit *unit)
{
    const struct unit_header *header = &unit->data.header;
    bool is_wide = header->offset_bytes == 8;
    unit->string_offsets_base = header->version < 5 ? 0 : is_wide ? 16 : 8;
    unit->data.range_lists_base = is_wide ? 20 : 12;
}

static void free_unit(struct split_unit **unit)
{
    split_unit_free(*unit);
}

int split_unit_read(struct split_file *file, uint64_t id, const struct unit_data *skeleton,
                    struct split_unit **ret_unit)
{
    _cleanup_(free_unit) struct split_unit *unit = calloc(1, sizeof *unit);
    if (!unit)
        return -ENOMEM;
    int error = split_file_part(file, id, &unit->part);
    if (!error)
        error = split_file_strings(file, &unit->strings);
    if (error)
        return error;
    unit->data = *skeleton;
    unit->data.info = part_span(&unit->part, SPLIT_INFO);
    unit->data.abbreviations = part_span(&unit->part, SPLIT_ABBREVIATIONS);
    unit->data.range_lists = part_span(&unit->part, SPLIT_RANGE_LISTS);
    error = find_unit(unit, id, skeleton->header.version);
    if (error)
        return error;
    set_bases(unit);
    *ret_unit = take_pointer(unit);
    return 0;
}

void split_unit_free(struct split_unit *unit)
{
    if (!unit)
        return;
    abbreviations_free(&unit->abbreviations);
    split_part_free(&unit->part);
    split_file_free(unit->own_file);
    free(unit);
}

size_t split_unit_bytes(const struct split_unit *unit)
{
    if (!unit)
        return 0;
    size_t bytes = sizeof *unit + split_file_bytes(unit->own_file) +
                   unit->abbreviations.capacity * sizeof *unit->abbreviations.items +
                   unit->abbreviations.attribute_capacity * sizeof *unit->abbreviations.attributes;
    for (size_t i = 0; i < SPLIT_SECTIONS; i++)
        bytes += unit->part.length[i];
    return bytes;
}

/* --- names ---------------------------------------------------------------------------------- */

/* The string at an index; NULL when there is none, or it does not end. */
static const char *indexed_string(const struct split_unit *unit, uint64_t index)
{
    unsigned offset_bytes = unit->data.header.offset_bytes;
    uint64_t entry;
    if (__builtin_mul_overflow(index, offset_bytes, &entry) ||
        __builtin_add_overflow(entry, unit->string_offsets_base, &entry))
        return NULL;
    struct reader offsets = span_reader(part_span(&unit->part, SPLIT_STRING_OFFSETS), entry);
    uint64_t offset = reader_uint(&offsets, offset_bytes);
    struct reader strings = span_reader(unit->strings, offset);
    return offsets.failed ? NULL : reader_string(&strings);
}

static const char *read_string(const struct split_unit *unit, struct reader *reader, uint32_t form)
{
    uint64_t index;
    if (form == DW_FORM_string)
        return reader_string(reader);
    if (!die_value_string_index(reader, &unit->data.header, form, &index) || reader->failed)
        return NULL;
    return indexed_string(unit, index);
}

/* What was found along a chain of references; the first DIE to say something is right. */
struct search {
    const char *linkage_name, *name;
    bool has_file, has_line, has_language, has_origin;
    uint64_t file, line, language, origin;
};

static void keep_first(const char **kept, const char *name)
{
    if (!*kept && name && name[0])
        *kept = name;
}

static void keep_first_number(bool *has, uint64_t *kept, uint64_t number)
{
    if (!*has)
        *kept = number;
    *has = true;
}

static void read_attribute(const struct split_unit *unit, struct reader *reader,
                           const struct abbreviation_attribute *attribute, struct search *search)
{
    const struct unit_header *header = &unit->data.header;
    uint32_t form = form_resolve(reader, attribute->form);
    switch (attribute->name) {
    case DW_AT_linkage_name:
    case DW_AT_MIPS_linkage_name:
        keep_first(&search->linkage_name, read_string(unit, reader, form));
        return;
    case DW_AT_name:
        keep_first(&search->name, read_string(unit, reader, form));
        return;
    case DW_AT_decl_file:
        keep_first_number(&search->has_file, &search->file,
                          die_value_constant(reader, header, attribute, form));
        return;
    case DW_AT_decl_line:
        keep_first_number(&search->has_line, &search->line,
                          die_value_constant(reader, header, attribute, form));
        return;
    case DW_AT_language:
        keep_first_number(&search->has_language, &search->language,
                          die_value_constant(reader, header, attribute, form));
        return;
    case DW_AT_abstract_origin:
    case DW_AT_specification:
        search->has_origin |= die_value_reference(reader, header, form, &search->origin);
        return;
    default:
        form_skip(reader, header, form);
    }
}

static void read_function(const struct split_unit *unit, uint64_t offset, struct search *search)
{
    struct reader reader;
    const struct abbreviation *abbreviation = enter_die(unit, offset, &reader);
    search->has_origin = false;
    for (uint32_t i = 0; abbreviation && i < abbreviation->attribute_count && !reader.failed; i++)
        read_attribute(unit, &reader, &attributes_of(unit, abbreviation)[i], search);
}

struct split_function split_unit_function(const struct split_unit *unit, uint64_t offset)
{
    struct search search = {.has_origin = true, .origin = offset};
    struct split_function function = {0};
    for (int i = 0; i < REFERENCES_MAX && search.has_origin; i++) {
        function.declared = search.origin;
        read_function(unit, search.origin, &search);
        if (i == 0 && search.has_origin)
            function.origin = search.origin;
    }
    bool declared = search.has_file && search.has_line && search.line <= UINT32_MAX;
    function.linkage_name = search.linkage_name;
    function.name = search.name;
    function.file = declared ? search.file : 0;
    function.line = declared ? (uint32_t)search.line : 0;
    function.language = search.language <= UINT32_MAX ? (uint32_t)search.language : 0;
    return function;
}
