/* Decodes a unit and answers for its addresses. */
#include "symbol/unit.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "symbol/demangle.h"
#include "symbol/function_name.h"
#include "symbol/path.h"

/* Of a unit's line program, in the image that has the unit. -ENOENT when the unit has none. */
static int read_line_header(const struct debug_image *image, Dwarf_Die *unit_die,
                            struct line_header *ret_header)
{
    if (dwarf_cu_getdwarf(unit_die->cu) != image->dwarf)
        return image->alternate ? read_line_header(image->alternate, unit_die, ret_header)
                                : -EBADMSG;
    Dwarf_Attribute attribute;
    Dwarf_Word offset;
    if (!dwarf_attr(unit_die, DW_AT_stmt_list, &attribute))
        return -ENOENT;
    if (dwarf_formudata(&attribute, &offset))
        return -EBADMSG;
    struct line_sections sections = debug_image_line_sections(image);
    return line_header_read(&sections, offset, ret_header);
}

/* A unit without a sane line program is one without lines, and says why. */
static int read_lines(const struct debug_image *image, Dwarf_Die *die, uint64_t text_vaddr,
                      struct unit *unit)
{
    int error = read_line_header(image, die, &unit->line_header);
    unit->lines.is_damaged = error && error != -ENOENT;
    if (error)
        return error == -ENOMEM ? error : 0;
    error = line_table_read(&unit->line_header, text_vaddr, &unit->lines);
    if (error)
        return error;
    unit->file_ids = calloc(unit->line_header.file_count + 1, sizeof *unit->file_ids);
    return unit->file_ids ? 0 : -ENOMEM;
}

/* NULL when the name is too long for a path. 0 or -ENOMEM. */
static int file_path(const char *compilation, const struct line_file *file, char **ret_path)
{
    _cleanup_free_ char *directory = NULL;
    *ret_path = NULL;
    int error = path_append(compilation, file->directory ? file->directory : "", &directory);
    if (!error)
        error = path_append(directory, file->name, ret_path);
    return error == -ENOMEM ? error : 0;
}

static int publish_file(const struct unit_context *context, const char *compilation,
                        const struct line_header *header, uint64_t index, uint32_t *ret_id)
{
    *ret_id = 0;
    if (index >= header->file_count || !header->files[index].name || !header->files[index].name[0])
        return 0;
    const struct line_file *file = &header->files[index];
    _cleanup_free_ char *path = NULL;
    int error = file_path(compilation, file, &path);
    if (error || !path)
        return error;
    return store_add_named_file(context->store, path, compilation, context->module, file->md5,
                                ret_id);
}

/* A number that the root DIE states, in whatever form; 0 when it does not. */
static uint64_t root_number(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;
    return dwarf_formudata(dwarf_attr(die, name, &attribute), &value) ? 0 : value;
}

/* DWARF 5's, else GNU's of DWARF 4. */
static uint64_t root_base(Dwarf_Die *die, unsigned name, unsigned gnu_name)
{
    return root_number(die, dwarf_hasattr(die, name) ? name : gnu_name);
}

struct unit_data unit_describe(const struct debug_image *image, const struct unit_header *header,
                               Dwarf_Die *die)
{
    struct unit_data data = {
        .header = *header,
        .info = debug_image_span(image, ".debug_info"),
        .abbreviations = debug_image_span(image, ".debug_abbrev"),
        .addresses = debug_image_span(image, ".debug_addr"),
        .ranges = debug_image_span(image, ".debug_ranges"),
        .range_lists = debug_image_span(image, ".debug_rnglists"),
        .addresses_base = root_base(die, DW_AT_addr_base, DW_AT_GNU_addr_base),
        .range_lists_base = root_number(die, DW_AT_rnglists_base),
    };
    Dwarf_Addr low_pc;
    if (dwarf_lowpc(die, &low_pc) == 0)
        data.low_pc = low_pc;
    return data;
}

/* The DIEs that this unit is only the skeleton of, if it is one and they are found. */
static int find_split(const struct unit_source *source, const struct unit_data *data,
                      const char *directory, Dwarf_Die *die, struct split_unit **ret_unit)
{
    struct split_reference reference = {
        .directory = directory, .linked_path = source->path, .skeleton = *data};
    uint8_t type;
    Dwarf_Half version;
    if (dwarf_cu_info(die->cu, &version, &type, NULL, NULL, &reference.id, NULL, NULL) ||
        type != DW_UT_skeleton)
        return 0;
    if (!source->splits)
        return -ENOENT;
    bool is_new = dwarf_hasattr(die, DW_AT_dwo_name);
    reference.name = die_string(die, is_new ? DW_AT_dwo_name : DW_AT_GNU_dwo_name);
    /* What the skeleton itself says counts from nowhere. */
    reference.skeleton.ranges_base = root_number(die, DW_AT_GNU_ranges_base);
    return reference.name[0] ? split_search_find(source->splits, &reference, ret_unit) : 0;
}

static int read_tree(const struct unit_source *source, Dwarf_Die *die, struct unit *unit)
{
    struct unit_data data = unit_describe(source->image, &unit->header, die);
    int error = find_split(source, &data, unit->directory, die, &unit->split);
    if (error)
        return error;
    return inline_tree_read(unit->split ? &unit->split->data : &data, source->text_vaddr,
                            &unit->tree);
}

static void free_unit(struct unit **unit)
{
    unit_free(*unit);
}

int unit_read(const struct unit_source *source, const struct unit_header *header,
              struct unit **ret_unit)
{
    Dwarf_Die die;
    if (!dwarf_offdie(source->image->dwarf, header->first_die, &die))
        return -EBADMSG;
    _cleanup_(free_unit) struct unit *unit = calloc(1, sizeof *unit);
    if (!unit)
        return -ENOMEM;
    unit->header = *header;
    /* What is too long for a path stays too long. */
    unit->directory = strndup(die_string(&die, DW_AT_comp_dir), PATH_BYTES_MAX);
    if (!unit->directory)
        return -ENOMEM;
    int error = read_lines(source->image, &die, source->text_vaddr, unit);
    if (!error)
        error = read_tree(source, &die, unit);
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
    line_header_free(&unit->line_header);
    unit_scopes_free(&unit->scopes);
    split_unit_free(unit->split);
    free(unit->directory);
    free(unit->file_ids);
    free(unit);
}

bool unit_is_damaged(const struct unit *unit)
{
    return unit->lines.is_damaged || unit->tree.is_damaged;
}

size_t unit_bytes(const struct unit *unit)
{
    return sizeof *unit + unit->lines.capacity * sizeof *unit->lines.rows +
           inline_tree_bytes(&unit->tree) + line_header_bytes(&unit->line_header) +
           split_unit_bytes(unit->split) + unit_scopes_bytes(&unit->scopes) +
           unit->line_header.file_count * sizeof *unit->file_ids;
}

/* The published id of a file of this unit; 0 when the index is nobody's. */
static int unit_file(struct unit *unit, const struct unit_context *context, uint64_t index,
                     uint32_t *ret_id)
{
    *ret_id = 0;
    if (index >= unit->line_header.file_count)
        return 0;
    uint32_t *id = &unit->file_ids[index];
    int error = *id ? 0 : publish_file(context, unit->directory, &unit->line_header, index, id);
    if (!error)
        *ret_id = *id;
    return error;
}

/* The same for a unit that this one refers to: link-time optimisation, dwz's shared units. */
static int other_unit_file(const struct unit_context *context, struct die_file *file,
                           uint32_t *ret_id)
{
    struct line_header header;
    *ret_id = 0;
    int error = read_line_header(context->image, &file->unit, &header);
    if (error)
        return error == -ENOMEM ? error : 0;
    error = publish_file(context, die_string(&file->unit, DW_AT_comp_dir), &header, file->index,
                         ret_id);
    line_header_free(&header);
    return error;
}

static bool is_root(const struct unit *unit, const struct unit_context *context, Dwarf_Die *die)
{
    return dwarf_cu_getdwarf(die->cu) == context->image->dwarf &&
           dwarf_dieoffset(die) == unit->header.first_die;
}

/* A file without a line is no place: where there is no line, file 0 is the unit's first source. */
static int declaration(struct unit *unit, const struct unit_context *context,
                       struct die_place *place, uint32_t *ret_file, uint32_t *ret_line)
{
    struct die_file file;
    *ret_file = *ret_line = 0;
    if (place->split) {
        struct split_function function = split_unit_function(place->split, place->offset);
        *ret_line = function.line;
        return function.line ? unit_file(unit, context, function.file, ret_file) : 0;
    }
    if (!die_declaration(&place->die, &file, ret_line) || !*ret_line)
        return 0;
    if (is_root(unit, context, &file.unit))
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

/* The node's DIE. False when there is none. */
static bool node_place(const struct unit *unit, const struct unit_context *context,
                       const struct inline_node *node, struct die_place *ret_place)
{
    *ret_place = (struct die_place){.split = unit->split};
    if (!unit->split)
        return dwarf_offdie(context->image->dwarf, unit->header.offset + node->die,
                            &ret_place->die);
    ret_place->offset = unit->split->data.header.offset + node->die;
    return true;
}

/* A lambda is declared where its class is; gcc says it of the class alone, whatever the linkage. */
static int class_declaration(struct unit *unit, const struct unit_context *context,
                             struct die_place place, uint32_t *ret_file, uint32_t *ret_line)
{
    int error = function_name_class(unit, context, &place);
    if (error)
        return error == -ENOMEM ? error : 0;
    return declaration(unit, context, &place, ret_file, ret_line);
}

/* By the names of its DIE: malloc'ed. */
static int full_name(struct unit *unit, const struct unit_context *context,
                     const struct inline_node *node, struct die_place *place,
                     struct die_names names, char **ret_name)
{
    if (function_name_is_internal(names.linkage_name))
        return function_name_exported(unit, context, node, place, names.linkage_name, ret_name);
    if (!names.linkage_name && function_name_is_alias(unit, node, place))
        return function_name_exported(unit, context, node, place, names.name, ret_name);
    if (!names.linkage_name && function_name_is_scoped(place))
        return function_name(unit, context, node, place, names.name, ret_name);
    return demangle(names.linkage_name ? names.linkage_name : names.name, ret_name);
}

static int publish_function(struct unit *unit, const struct unit_context *context,
                            struct inline_node *node, struct die_place *place,
                            struct die_names names)
{
    _cleanup_free_ char *name = NULL;
    uint32_t file = 0, line = 0;
    int error = full_name(unit, context, node, place, names, &name);
    if (!error)
        error = declaration(unit, context, place, &file, &line);
    if (!error && !line && function_name_is_scoped(place))
        error = class_declaration(unit, context, *place, &file, &line);
    return error ? error
                 : store_add_function(context->store, name, context->module, file, line,
                                      &node->function);
}

static int node_function(struct unit *unit, const struct unit_context *context,
                         struct inline_node *node, uint32_t *ret_id)
{
    if (!node->function) {
        struct die_place place;
        struct die_names names = {0};
        if (node_place(unit, context, node, &place))
            names = die_place_names(&place);
        if (!names.linkage_name && !names.name)
            return publish_unnamed(context, node, ret_id);
        int error = publish_function(unit, context, node, &place, names);
        if (error)
            return error;
    }
    *ret_id = node->function;
    return 0;
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
    int error = 0;
    const struct line_row *row = line_table_find(&unit->lines, vaddr);
    if (row) {
        error = unit_file(unit, context, row->file, &place.file);
        if (error)
            return error;
        place.line = row->line;
        place.column = row->column;
    }
    uint32_t node;
    error = inline_tree_find(&unit->tree, vaddr, &node);
    if (error)
        return error;
    if (node == NODE_NONE) {
        ret_frames[0] = place;
        *ret_count = 1;
        return 0;
    }
    return resolve_chain(unit, context, node, place, ret_frames, ret_count);
}
