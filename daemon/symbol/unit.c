/* Decodes a unit and answers for its addresses. */
#include "symbol/unit.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "symbol/demangle.h"
#include "symbol/die.h"
#include "symbol/path.h"

#define FILES_MAX (1u << 20)
#define PATH_TEXT_BYTES_MAX (256u << 20)

/*
 * libdw has joined names with the compilation directory already where the line table says so; a
 * relative directory must not come twice.
 */
static int absolute_path(const char *directory, const char *name, char **ret_path)
{
    size_t bytes = strlen(directory);
    bool has_it = strncmp(name, directory, bytes) == 0 && name[bytes] == '/';
    return path_join(has_it ? NULL : directory, name, ret_path);
}

/* File 0 is a file only since DWARF 5; before, it means "none". */
static const char *file_name(Dwarf_Files *files, size_t index, unsigned version)
{
    if (index == 0 && version < 5)
        return NULL;
    return dwarf_filesrc(files, index, NULL, NULL);
}

static int read_files(struct unit *unit, const struct debug_image *image, Dwarf_Die *die)
{
    Dwarf_Files *files;
    size_t count;
    if (line_table_files(image, die, &files, &count) || count > FILES_MAX)
        return 0;
    _cleanup_text_ struct text paths = {0};
    unit->path_at = calloc(count + 1, sizeof *unit->path_at);
    unit->file_ids = calloc(count + 1, sizeof *unit->file_ids);
    if (!unit->path_at || !unit->file_ids)
        return -ENOMEM;
    for (size_t i = 0; i < count && paths.length < PATH_TEXT_BYTES_MAX; i++) {
        const char *name = file_name(files, i, unit->header.version);
        _cleanup_free_ char *path = NULL;
        int error = absolute_path(unit->directory, name ? name : "", &path);
        if (error == -ENOMEM)
            return error;
        unit->path_at[i] = (uint32_t)paths.length;
        unit->file_count = i + 1;
        text_add(&paths, error ? "" : path, error ? 1 : strlen(path) + 1);
    }
    if (paths.failed)
        return -ENOMEM;
    unit->path_bytes = paths.length;
    unit->paths = take_pointer(paths.bytes);
    return 0;
}

static void free_unit(struct unit **unit)
{
    unit_free(*unit);
}

int unit_read(const struct debug_image *image, const struct unit_header *header,
              uint64_t text_vaddr, struct unit **ret_unit)
{
    Dwarf_Die die;
    if (!dwarf_offdie(image->dwarf, header->first_die, &die))
        return -EBADMSG;
    _cleanup_(free_unit) struct unit *unit = calloc(1, sizeof *unit);
    if (!unit)
        return -ENOMEM;
    unit->header = *header;
    unit->directory = strdup(die_string(&die, DW_AT_comp_dir));
    if (!unit->directory)
        return -ENOMEM;
    int error = line_table_read(image, &die, text_vaddr, &unit->lines);
    if (!error)
        error = inline_tree_read(image, header, &die, text_vaddr, &unit->tree);
    if (!error && (unit->lines.count || unit->tree.count))
        error = read_files(unit, image, &die);
    if (!error && unit->file_count)
        error = line_table_md5(image, &die, &unit->md5);
    if (error)
        return error;
    *ret_unit = take_pointer(unit);
    return 0;
}

void unit_free(struct unit *unit)
{
    if (!unit)
        return;
    line_table_free(&unit->lines);
    inline_tree_free(&unit->tree);
    free(unit->directory);
    free(unit->paths);
    free(unit->path_at);
    free(unit->file_ids);
    line_md5_free(&unit->md5);
    free(unit);
}

size_t unit_bytes(const struct unit *unit)
{
    return sizeof *unit + unit->lines.capacity * sizeof *unit->lines.rows +
           inline_tree_bytes(&unit->tree) + unit->file_count * 2 * sizeof(uint32_t) +
           unit->path_bytes + unit->md5.count * MD5_BYTES;
}

/* The published id of a file of this unit; 0 when the index is nobody's. */
static int unit_file(struct unit *unit, const struct unit_context *context, uint64_t index,
                     uint32_t *ret_id)
{
    *ret_id = 0;
    if (index >= unit->file_count)
        return 0;
    const char *path = unit->paths + unit->path_at[index];
    if (!unit->file_ids[index] && path[0]) {
        int error = store_add_file(context->store, path, unit->directory, context->module,
                                   line_md5_get(&unit->md5, index), &unit->file_ids[index]);
        if (error)
            return error;
    }
    *ret_id = unit->file_ids[index];
    return 0;
}

/* The same for a unit that this one refers to: link-time optimisation, dwz's shared units. */
static int other_unit_file(const struct unit_context *context, struct die_file *file,
                           uint32_t *ret_id)
{
    Dwarf_Files *files;
    Dwarf_Half version = 0;
    size_t count;
    *ret_id = 0;
    if (dwarf_cu_info(file->unit.cu, &version, NULL, NULL, NULL, NULL, NULL, NULL) ||
        line_table_files(context->image, &file->unit, &files, &count) || file->index >= count)
        return 0;
    const char *name = file_name(files, file->index, version);
    _cleanup_free_ char *path = NULL;
    if (!name || !name[0])
        return 0;
    const char *directory = die_string(&file->unit, DW_AT_comp_dir);
    int error = absolute_path(directory, name, &path);
    if (error)
        return error == -ENOMEM ? error : 0;
    return store_add_file(context->store, path, directory, context->module, NULL, ret_id);
}

static int declaration(struct unit *unit, const struct unit_context *context, Dwarf_Die *die,
                       uint32_t *ret_file, uint32_t *ret_line)
{
    struct die_file file;
    *ret_file = *ret_line = 0;
    if (!die_declaration(die, &file, ret_line))
        return 0;
    if (file.unit.cu == die->cu)
        return unit_file(unit, context, file.index, ret_file);
    return other_unit_file(context, &file, ret_file);
}

/* A function that nothing names: an alternate file is missing, or the compiler was shy. */
static int publish_unnamed(const struct unit_context *context, const struct inline_node *node,
                           uint32_t *ret_id)
{
    if (node->parent == NODE_NONE) {
        *ret_id = context->fallback;
        return 0;
    }
    return store_add_function(context->store, "[inlined]", context->module, 0, 0, ret_id);
}

static int node_function(struct unit *unit, const struct unit_context *context,
                         struct inline_node *node, uint32_t *ret_id)
{
    if (node->function) {
        *ret_id = node->function;
        return 0;
    }
    Dwarf_Die die;
    const char *symbol = NULL;
    if (dwarf_offdie(context->image->dwarf, unit->header.offset + node->die, &die))
        symbol = die_function_name(&die);
    if (!symbol)
        return publish_unnamed(context, node, ret_id);

    _cleanup_free_ char *name = NULL;
    uint32_t file, line;
    int error = demangle(symbol, &name);
    if (!error)
        error = declaration(unit, context, &die, &file, &line);
    if (!error)
        error =
            store_add_function(context->store, name, context->module, file, line, &node->function);
    if (!error)
        *ret_id = node->function;
    return error;
}

/* Walks outwards: each frame is at the place where the one inside it was called. */
static int resolve_chain(struct unit *unit, const struct unit_context *context, uint32_t node_id,
                         struct frame place, struct frame *frames, size_t *ret_count)
{
    size_t count = 0;
    while (node_id != NODE_NONE && count < FRAMES_PER_LOCATION_MAX) {
        struct inline_node *node = &unit->tree.nodes[node_id];
        int error = node_function(unit, context, node, &place.function);
        if (error)
            return error;
        frames[count++] = place;
        place = (struct frame){.line = node->call_line, .column = node->call_column};
        error = unit_file(unit, context, node->call_file, &place.file);
        if (error)
            return error;
        node_id = node->parent;
    }
    *ret_count = count;
    return 0;
}

int unit_resolve(struct unit *unit, const struct unit_context *context, uint64_t vaddr,
                 struct frame *ret_frames, size_t *ret_count)
{
    struct frame place = {.function = context->fallback};
    const struct line_row *row = line_table_find(&unit->lines, vaddr);
    if (row) {
        int error = unit_file(unit, context, row->file, &place.file);
        if (error)
            return error;
        place.line = row->line;
        place.column = row->column;
    }
    uint32_t node = inline_tree_find(&unit->tree, vaddr);
    if (node == NODE_NONE) {
        ret_frames[0] = place;
        *ret_count = 1;
        return 0;
    }
    return resolve_chain(unit, context, node, place, ret_frames, ret_count);
}
