/* Opens modules, and decodes their units on demand within a memory bound. */
#include "symbol/object.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "symbol/debug_file.h"

/* Decoded units are a cache: all that was asked for is published already. */
#define UNITS_BYTES_MAX (64u << 20)
/* Sections beyond that size take longer than somebody who waits for a name should wait. */
#define THREAD_FROM_BYTES (4u << 20)
#define MEANWHILE_NS (10 * NS_PER_MS)

static void free_object(struct object **object)
{
    object_free(*object);
}

static int find_debug_file(struct object *object, const struct target *target)
{
    if (debug_image_possible(object->binary)) {
        object->status = SYMBOL_LINE;
        return 0;
    }
    object->status = SYMBOL_NO_DEBUG_INFO;
    int error = debug_file_find(target, object->module, object->binary, &object->debug,
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

int object_open(const struct target *target, const struct module *module,
                struct object **ret_object)
{
    _cleanup_(free_object) struct object *object = calloc(1, sizeof *object);
    if (!object)
        return -ENOMEM;
    object->module = module;
    object->splits.target = target;
    object->status = SYMBOL_UNREADABLE;
    int error = module->fd >= 0 ? elf_reader_open(module->fd, &object->binary) : -EBADF;
    if (!error)
        error = find_debug_file(object, target);
    if (!error)
        error = elf_symbols_read(object->binary, object->debug, &object->symbols);
    if (!error)
        error = find_go_lines(object);
    if (error == -ENOMEM)
        return error;
    *ret_object = take_pointer(object);
    return 0;
}

int object_unnamed_start(struct object *object, uint64_t vaddr, uint64_t *ret_start)
{
    if (!object->unnamed_read && object->binary) {
        int error = frame_functions_read(object->binary, &object->unnamed);
        if (error)
            return error;
        object->unnamed_read = true;
    }
    *ret_start = frame_functions_start(&object->unnamed, vaddr);
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
    free(object);
}

/* Of the file that lines are read from. */
static const char *linked_path(const struct object *object)
{
    return object->debug_path ? object->debug_path : object->module->path;
}

const struct elf_reader *object_debug_reader(const struct object *object)
{
    return object->debug ? object->debug : object->binary;
}

/* A missing alternate file costs names, not lines. */
static int load_alternate(const struct object *object, const struct target *target,
                          const struct elf_reader *file, struct debug_image **ret_image)
{
    struct elf_reader *alternate = NULL;
    *ret_image = NULL;
    if (object->alternate)
        return debug_image_load(object->alternate, NULL, ret_image) == -ENOMEM ? -ENOMEM : 0;
    int error = debug_file_find_alternate(target, file, linked_path(object), &alternate);
    if (!error)
        error = debug_image_load(alternate, NULL, ret_image);
    elf_reader_free(alternate);
    return error == -ENOMEM ? error : 0;
}

static int load_image(const struct object *object, const struct target *target,
                      struct debug_image **ret_image)
{
    struct debug_image *alternate;
    int error = load_alternate(object, target, object_debug_reader(object), &alternate);
    return error ? error : debug_image_load(object_debug_reader(object), alternate, ret_image);
}

static int read_index(struct object *object)
{
    int error = unit_index_read(object->image, object->binary->text_vaddr, &object->index);
    if (error)
        return error;
    object->units = calloc(object->index.count + 1, sizeof(struct unit *));
    if (!object->units)
        return -ENOMEM;
    object->indexed = true;
    return 0;
}

/* A thread that loads; all it changes is this. */
struct loader {
    const struct object *object;
    const struct target *target;
    struct debug_image *image; /* owned */
    int error;
    pthread_mutex_t mutex;
    pthread_cond_t over;
    bool is_over;
};

static void *loader_main(void *user)
{
    struct loader *loader = user;
    loader->error = load_image(loader->object, loader->target, &loader->image);
    pthread_mutex_lock(&loader->mutex);
    loader->is_over = true;
    pthread_cond_signal(&loader->over);
    pthread_mutex_unlock(&loader->mutex);
    return NULL;
}

static bool wait_a_little(struct loader *loader)
{
    struct timespec deadline = clock_deadline(MEANWHILE_NS);
    pthread_mutex_lock(&loader->mutex);
    if (!loader->is_over)
        pthread_cond_clockwait(&loader->over, &loader->mutex, CLOCK_MONOTONIC, &deadline);
    bool is_over = loader->is_over;
    pthread_mutex_unlock(&loader->mutex);
    return is_over;
}

static int load_in_thread(struct object *object, const struct target *target,
                          void (*meanwhile)(void *user), void *user)
{
    struct loader loader = {
        .object = object,
        .target = target,
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .over = PTHREAD_COND_INITIALIZER,
    };
    pthread_t thread;
    if (pthread_create(&thread, NULL, loader_main, &loader))
        return load_image(object, target, &object->image);
    while (!wait_a_little(&loader))
        meanwhile(user);
    pthread_join(thread, NULL);
    object->image = loader.image;
    return loader.error;
}

static bool is_large(const struct elf_reader *file)
{
    const struct elf_section *info = elf_reader_section(file, ".debug_info");
    return info && info->bytes > THREAD_FROM_BYTES;
}

int object_load_lines(struct object *object, const struct target *target,
                      void (*meanwhile)(void *user), void *user)
{
    if (object->status != SYMBOL_LINE || object->image || object->go)
        return 0;
    int error = meanwhile && is_large(object_debug_reader(object))
                    ? load_in_thread(object, target, meanwhile, user)
                    : load_image(object, target, &object->image);
    if (!error && !object->indexed)
        error = read_index(object);
    if (error && error != -ENOMEM) {
        object->status = SYMBOL_UNREADABLE;
        error = 0;
    }
    return error;
}

struct unit_source object_unit_source(struct object *object)
{
    return (struct unit_source){
        .image = object->image,
        .path = linked_path(object),
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
    if (object->units_bytes > UNITS_BYTES_MAX)
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
        .store = store,
        .module = object->module->id,
        .fallback = fallback,
    };
    size_t before = unit_bytes(unit);
    error = unit_resolve(unit, &context, vaddr, ret_frames, ret_count);
    object->units_bytes += unit_bytes(unit) - before;
    return error;
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
    return split_search_problem(&object->splits);
}
