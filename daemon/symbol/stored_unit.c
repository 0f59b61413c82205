/* Checks what was on disk of a unit, and answers from it. */
#include "symbol/stored_unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Steps over an array. NULL when it is not there. */
static const void *take_array(struct stored_unit *unit, size_t *offset, size_t count, size_t bytes)
{
    size_t left = unit->length - *offset;
    if (count > left / bytes)
        return NULL;
    const void *array = unit->bytes + *offset;
    *offset += count * bytes;
    return array;
}

static bool find_arrays(struct stored_unit *unit)
{
    struct stored_unit_header *header = &unit->header;
    size_t offset = sizeof *header;
    if (unit->length < sizeof *header)
        return false;
    memcpy(header, unit->bytes, sizeof *header);
    unit->rows = take_array(unit, &offset, header->row_count, sizeof *unit->rows);
    if (unit->rows)
        unit->nodes = take_array(unit, &offset, header->node_count, sizeof *unit->nodes);
    if (unit->nodes)
        unit->functions =
            take_array(unit, &offset, header->function_count, sizeof *unit->functions);
    if (unit->functions)
        unit->files = take_array(unit, &offset, header->file_count, sizeof *unit->files);
    if (unit->files)
        unit->strings = take_array(unit, &offset, header->string_bytes, 1);
    return unit->strings && offset == unit->length && header->string_bytes &&
           unit->strings[header->string_bytes - 1] == '\0';
}

static bool are_rows_sane(const struct stored_unit *unit)
{
    for (uint32_t i = 0; i < unit->header.row_count; i++) {
        const struct stored_row *row = &unit->rows[i];
        if ((i > 0 && row->offset <= unit->rows[i - 1].offset) ||
            (row->node != STORED_NONE && row->node >= unit->header.node_count))
            return false;
    }
    return true;
}

/* Callers come first, so that no chain of them is a ring. */
static bool are_nodes_sane(const struct stored_unit *unit)
{
    for (uint32_t i = 0; i < unit->header.node_count; i++) {
        const struct stored_node *node = &unit->nodes[i];
        if (node->function > unit->header.function_count || node->file > unit->header.file_count ||
            (node->caller != STORED_NONE && node->caller >= i))
            return false;
    }
    return true;
}

static bool are_names_sane(const struct stored_unit *unit)
{
    const struct stored_unit_header *header = &unit->header;
    for (uint32_t i = 0; i < header->function_count; i++)
        if (unit->functions[i].name >= header->string_bytes ||
            unit->functions[i].file > header->file_count)
            return false;
    for (uint32_t i = 0; i < header->file_count; i++)
        if (unit->files[i].named >= header->string_bytes ||
            unit->files[i].directory >= header->string_bytes)
            return false;
    return true;
}

static void free_unit(struct stored_unit **unit)
{
    stored_unit_free(*unit);
}

int stored_unit_open(unsigned char *bytes_to_take, size_t length, struct stored_unit **ret_unit)
{
    _cleanup_free_ unsigned char *bytes = bytes_to_take;
    _cleanup_(free_unit) struct stored_unit *unit = calloc(1, sizeof *unit);
    if (!unit)
        return -ENOMEM;
    unit->bytes = take_pointer(bytes);
    unit->length = length;
    if (!find_arrays(unit) || !are_rows_sane(unit) || !are_nodes_sane(unit) ||
        !are_names_sane(unit))
        return -EBADMSG;
    unit->function_ids = calloc((size_t)unit->header.function_count + 1, sizeof(uint32_t));
    unit->file_ids = calloc((size_t)unit->header.file_count + 1, sizeof(uint32_t));
    if (!unit->function_ids || !unit->file_ids)
        return -ENOMEM;
    *ret_unit = take_pointer(unit);
    return 0;
}

void stored_unit_free(struct stored_unit *unit)
{
    if (!unit)
        return;
    free(unit->function_ids);
    free(unit->file_ids);
    free(unit->bytes);
    free(unit);
}

size_t stored_unit_bytes(const struct stored_unit *unit)
{
    return sizeof *unit + unit->length +
           ((size_t)unit->header.function_count + unit->header.file_count + 2) * sizeof(uint32_t);
}

/* Where a frame is published. All borrowed. */
struct publication {
    struct stored_unit *unit;
    struct store *store;
    uint32_t module, fallback;
};

static int publish_file(const struct publication *to, uint32_t number, uint32_t *ret_id)
{
    uint32_t *id = &to->unit->file_ids[number];
    if (number && !*id) {
        const struct stored_unit_file *file = &to->unit->files[number - 1];
        const char *strings = to->unit->strings;
        int error =
            store_add_named_file(to->store, strings + file->named, strings + file->directory,
                                 to->module, file->has_md5 ? file->md5 : NULL, id);
        if (error)
            return error;
    }
    *ret_id = *id;
    return 0;
}

static int publish_function(const struct publication *to, uint32_t number, uint32_t *ret_id)
{
    uint32_t *id = &to->unit->function_ids[number], file;
    if (!number) {
        *ret_id = to->fallback;
        return 0;
    }
    if (!*id) {
        const struct stored_unit_function *function = &to->unit->functions[number - 1];
        int error = publish_file(to, function->file, &file);
        if (!error)
            error = store_add_function(to->store, to->unit->strings + function->name, to->module,
                                       file, function->line, id);
        if (error)
            return error;
    }
    *ret_id = *id;
    return 0;
}

static int publish_frame(const struct publication *to, const struct stored_node *node,
                         struct frame *ret_frame)
{
    struct frame frame = {.line = node->line, .column = node->column};
    int error = publish_file(to, node->file, &frame.file);
    if (!error)
        error = publish_function(to, node->function, &frame.function);
    if (!error)
        *ret_frame = frame;
    return error;
}

/* The innermost frame at vaddr, or STORED_NONE. */
static uint32_t find_node(const struct stored_unit *unit, uint64_t vaddr)
{
    uint64_t offset = vaddr - unit->header.base;
    uint32_t low = 0, high = unit->header.row_count;
    if (vaddr < unit->header.base)
        return STORED_NONE;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (unit->rows[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? unit->rows[low - 1].node : STORED_NONE;
}

int stored_unit_resolve(struct stored_unit *unit, struct store *store, uint32_t module,
                        uint32_t fallback, uint64_t vaddr, struct frame *ret_frames,
                        size_t *ret_count)
{
    const struct publication to = {unit, store, module, fallback};
    uint32_t at = find_node(unit, vaddr);
    size_t count = 0;
    while (at != STORED_NONE && count < FRAMES_PER_LOCATION_MAX) {
        const struct stored_node *node = &unit->nodes[at];
        int error = publish_frame(&to, node, &ret_frames[count++]);
        if (error)
            return error;
        at = node->caller;
    }
    if (!count)
        ret_frames[count++] = (struct frame){.function = fallback};
    *ret_count = count;
    return 0;
}
