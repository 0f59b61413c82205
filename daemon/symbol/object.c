/* Opens modules, and decodes their units on demand within a memory bound. */
#include "symbol/object.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/read_at.h"
#include "symbol/debug_file.h"

static void free_object(struct object **object)
{
    object_free(*object);
}

static int find_debug_file(struct object *object)
{
    if (debug_image_possible(object->binary)) {
        object->status = SYMBOL_LINE;
        return 0;
    }
    object->status = SYMBOL_NO_DEBUG_INFO;
    int error = debug_file_find(object->module, object->binary, object->cancel, &object->debug,
                                &object->debug_path);
    if (error)
        return error == -ENOMEM ? error : 0;
    if (debug_image_possible(object->debug))
        object->status = SYMBOL_LINE;
    return 0;
}

/* A Go program that was stripped still has what its runtime needs. */
static int find_go_lines(struct object *object)
{
    if (object->status != SYMBOL_NO_DEBUG_INFO)
        return 0;
    int error = go_lines_open(object->module->fd, &object->go);
    if (!error)
        object->status = SYMBOL_LINE;
    return error == -ENOMEM ? error : 0;
}

/* An ELF file that is damaged, or another machine's, is not a foreign one. */
static bool is_foreign(const struct module *module)
{
    char magic[SELFMAG];
    return module->fd >= 0 && read_at(module->fd, magic, sizeof magic, 0) == 0 &&
           memcmp(magic, ELFMAG, sizeof magic) != 0;
}

int object_open(const struct module *module, const struct cancel *cancel,
                struct object **ret_object)
{
    _cleanup_(free_object) struct object *object = calloc(1, sizeof *object);
    if (!object)
        return -ENOMEM;
    object->module = module;
    object->cancel = cancel;
    object->splits.target = module->target;
    object->is_foreign = is_foreign(module);
    object->status = object->is_foreign ? SYMBOL_NO_DEBUG_INFO : SYMBOL_UNREADABLE;
    int error = module->fd >= 0 ? elf_reader_open(module->fd, &object->binary) : -EBADF;
    if (!error)
        error = find_debug_file(object);
    if (!error)
        error = elf_symbols_read(object->binary, object->debug, &object->symbols);
    if (!error)
        error = find_go_lines(object);
    if (error == -ENOMEM)
        return error;
    *ret_object = take_pointer(object);
    return 0;
}

/* Linked files have tens of sections; one that claims more is not searched for each address. */
#define SECTIONS_SEARCHED_MAX 1024

static const struct elf_section *section_at(const struct elf_reader *file, uint64_t vaddr)
{
    for (size_t i = 0; file && i < file->section_count && i < SECTIONS_SEARCHED_MAX; i++) {
        const struct elf_section *section = &file->sections[i];
        if ((section->flags & SHF_EXECINSTR) && vaddr >= section->vaddr &&
            vaddr - section->vaddr < section->bytes)
            return section;
    }
    return NULL;
}

/* Code that nothing describes is one with all around it, from the end of what is before it. */
static uint64_t gap_start(const struct object *object, uint64_t vaddr)
{
    const struct elf_section *section = section_at(object->binary, vaddr);
    if (!section)
        return vaddr;
    uint64_t symbol_end = range_map_start(&object->symbols.map, vaddr);
    uint64_t frame_end = range_map_start(&object->unnamed.map, vaddr);
    uint64_t start = symbol_end > frame_end ? symbol_end : frame_end;
    return start > section->vaddr ? start : section->vaddr;
}

int object_unnamed_start(struct object *object, uint64_t vaddr, uint64_t *ret_start)
{
    if (!object->unnamed_read && object->binary) {
        int error = frame_functions_read(object->binary, &object->unnamed);
        if (error)
            return error;
        object->unnamed_read = true;
    }
    uint64_t start = frame_functions_start(&object->unnamed, vaddr);
    *ret_start = start == vaddr ? gap_start(object, vaddr) : start;
    return 0;
}

static void forget_units(struct object *object)
{
    for (size_t i = 0; object->units && i < object->index.count; i++) {
        unit_free(object->units[i]);
        object->units[i] = NULL;
    }
    object->units_bytes = 0;
}

void object_forget_lines(struct object *object)
{
    forget_units(object);
    if (object->stored)
        stored_module_leave_image(object->stored);
    split_search_forget(&object->splits);
    debug_image_free(object->image);
    object->image = NULL;
}

void object_free(struct object *object)
{
    if (!object)
        return;
    object_forget_lines(object);
    stored_module_free(object->stored);
    free(object->units);
    split_search_free(&object->splits);
    unit_index_free(&object->index);
    elf_symbols_free(&object->symbols);
    frame_functions_free(&object->unnamed);
    go_lines_free(object->go);
    elf_reader_free(object->alternate);
    elf_reader_free(object->debug);
    elf_reader_free(object->binary);
    free(object->debug_path);
    free(object->alternate_problem);
    free(object);
}

const char *object_debug_path(const struct object *object)
{
    return object->debug_path ? object->debug_path : object->module->path;
}

const struct elf_reader *object_debug_reader(const struct object *object)
{
    return object->debug ? object->debug : object->binary;
}

struct unit_source object_unit_source(struct object *object)
{
    return (struct unit_source){
        .image = object->image,
        .path = object_debug_path(object),
        .symbols = &object->symbols,
        .text_vaddr = object->binary->text_vaddr,
        .splits = &object->splits,
    };
}

/* NULL when the unit is broken. */
static int touch_unit(struct object *object, uint32_t position, struct unit **ret_unit)
{
    *ret_unit = object->units[position];
    if (*ret_unit)
        return 0;
    if (object->units_bytes > OBJECT_UNITS_BYTES_MAX)
        forget_units(object);
    const struct unit_source source = object_unit_source(object);
    int error = unit_read(&source, &object->index.units[position], &object->units[position]);
    if (error)
        return error == -ENOMEM ? error : 0;
    *ret_unit = object->units[position];
    object->units_bytes += unit_bytes(*ret_unit);
    if (object->stored)
        stored_module_want(object->stored, position);
    return 0;
}

int object_resolve(struct object *object, struct store *store, uint64_t vaddr, uint32_t fallback,
                   struct frame *ret_frames, size_t *ret_count)
{
    struct unit *unit = NULL;
    if (object->go) {
        int error =
            go_lines_resolve(object->go, store, object->module->id, vaddr, ret_frames, ret_count);
        if (error != -ENOENT)
            return error;
    }
    uint32_t position = unit_index_find(&object->index, vaddr);
    int error = position == RANGE_NONE ? 0 : touch_unit(object, position, &unit);
    if (error)
        return error;
    if (!unit) {
        ret_frames[0] = (struct frame){.function = fallback};
        *ret_count = 1;
        return 0;
    }
    struct unit_context context = {
        .image = object->image,
        .symbols = &object->symbols,
        .store = store,
        .module = object->module->id,
        .fallback = fallback,
    };
    size_t before = unit_bytes(unit);
    error = unit_resolve(unit, &context, vaddr, ret_frames, ret_count);
    object->units_bytes += unit_bytes(unit) - before;
    object->is_damaged |= unit_is_damaged(unit);
    return error;
}

bool object_is_damaged_at(const struct object *object, uint64_t vaddr)
{
    if (!object->indexed)
        return false;
    uint32_t position = unit_index_find(&object->index, vaddr);
    if (position == RANGE_NONE)
        return object->index.is_damaged;
    return object->units[position] && unit_is_damaged(object->units[position]);
}

size_t object_lines_bytes(const struct object *object)
{
    return debug_image_bytes(object->image) + object->units_bytes +
           split_search_bytes(&object->splits);
}

size_t object_bytes(const struct object *object)
{
    return sizeof *object + elf_symbols_bytes(&object->symbols) +
           frame_functions_bytes(&object->unnamed) + go_lines_bytes(object->go) +
           unit_index_bytes(&object->index) + stored_module_bytes(object->stored) +
           object_lines_bytes(object);
}

char *object_problem(const struct object *object)
{
    if (object->is_foreign)
        return strdup("it is no ELF file, but one of a form that only the program itself knows, as "
                      "images of run-time systems are: its code has no names and no lines here");
    if (object->status == SYMBOL_NO_DEBUG_INFO && elf_reader_section(object->binary, ".stab"))
        return strdup("its debug information is in the stabs format, which is not read: build it "
                      "with an option or a compiler that writes DWARF (-gdwarf)");
    if (object->is_damaged || object->status == SYMBOL_DAMAGED)
        return strdup("its debug information is damaged or too large, so that lines or what was "
                      "inlined are missing: build or install it again");
    return object->alternate_problem ? strdup(object->alternate_problem)
                                     : split_search_problem(&object->splits);
}
