/* Loads an object's lines: units that are asked for are decoded while the next ones are inflated.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "symbol/object.h"

/* Sections beyond that size take longer than somebody who waits for a name should wait. */
#define THREAD_FROM_BYTES (4u << 20)
#define MEANWHILE_NS (10 * NS_PER_MS)

struct loader {
    const uint64_t *vaddrs; /* borrowed: that will be asked for, rising */
    size_t vaddr_count;
    struct unit_source source;   /* borrows from the object, which nobody changes meanwhile */
    const struct object *object; /* borrowed */
    /* What was read, all owned. Units are by position in the index, NULL where untouched. */
    struct debug_image *image;
    struct unit_index index;
    struct unit **units;
    size_t unit_count, unit_capacity, units_bytes;
    char *alternate_problem; /* owned */
    bool is_damaged;         /* the alternate file is */
    int error;
    pthread_mutex_t mutex;
    pthread_cond_t over;
    bool is_over;
};

static void free_loaded(struct loader *loader)
{
    for (size_t i = 0; i < loader->unit_count; i++)
        unit_free(loader->units[i]);
    free(loader->units);
    unit_index_free(&loader->index);
    debug_image_free(loader->image);
    free(loader->alternate_problem);
}

/* A missing alternate file costs names, not lines. */
static int load_alternate(struct loader *loader, struct debug_image **ret_image)
{
    const struct elf_reader *alternate = loader->object->alternate;
    struct elf_reader *found = NULL;
    *ret_image = NULL;
    int error =
        alternate ? 0 : object_find_alternate(loader->object, &found, &loader->alternate_problem);
    if (!error && (alternate || found))
        error = debug_image_load(alternate ? alternate : found, NULL, ret_image);
    elf_reader_free(found);
    loader->is_damaged = error && error != -ENOMEM;
    return error == -ENOMEM ? error : 0;
}

/* The first that is not below. */
static size_t lower_bound(const struct loader *loader, uint64_t vaddr)
{
    size_t low = 0, high = loader->vaddr_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (loader->vaddrs[middle] < vaddr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* One that is broken, or that needs another file, is left to who asks for it. */
static int decode_unit(struct loader *loader, const struct unit_header *header,
                       struct unit **ret_unit)
{
    size_t position = loader->unit_count - 1;
    if (!loader->units[position]) {
        int error = unit_read(&loader->source, header, &loader->units[position]);
        if (error)
            return error == -ENOMEM ? error : -ENOENT;
    }
    *ret_unit = loader->units[position];
    return 0;
}

static int decode_range(struct loader *loader, const struct unit_header *header,
                        const struct range *range)
{
    struct unit *unit;
    uint32_t node;
    int error = 0;
    for (size_t i = lower_bound(loader, range->start);
         i < loader->vaddr_count && loader->vaddrs[i] < range->end && !error; i++) {
        error = decode_unit(loader, header, &unit);
        if (!error)
            error = inline_tree_find(&unit->tree, loader->vaddrs[i], &node);
    }
    return error;
}

static int visit_unit(void *user, const struct unit_header *header, const struct range *ranges,
                      size_t count)
{
    struct loader *loader = user;
    if (array_reserve(&loader->units, &loader->unit_capacity, loader->unit_count + 1,
                      sizeof(struct unit *)))
        return -ENOMEM;
    struct unit **unit = &loader->units[loader->unit_count++];
    *unit = NULL;
    int error = 0;
    for (size_t i = 0; i < count && !error && loader->units_bytes < OBJECT_UNITS_BYTES_MAX; i++)
        error = decode_range(loader, header, &ranges[i]);
    loader->units_bytes += *unit ? unit_bytes(*unit) : 0;
    return error == -ENOMEM ? error : 0;
}

static int load(struct loader *loader)
{
    const struct object *object = loader->object;
    struct debug_image *alternate;
    int error = load_alternate(loader, &alternate);
    if (!error)
        error = debug_image_start(object_debug_reader(object), alternate, &loader->image);
    if (error)
        return error;
    if (object->indexed)
        return debug_image_wait(loader->image, UINT64_MAX);
    loader->source.image = loader->image;
    const struct unit_visitor visitor = {visit_unit, loader};
    return unit_index_read(loader->image, object->binary->text_vaddr, &visitor, object->cancel,
                           &loader->index);
}

static void *loader_main(void *user)
{
    struct loader *loader = user;
    loader->error = load(loader);
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

static void run(struct loader *loader, void (*meanwhile)(void *user), void *user)
{
    const struct elf_section *info =
        elf_reader_section(object_debug_reader(loader->object), ".debug_info");
    bool is_large = info && info->bytes > THREAD_FROM_BYTES;
    pthread_t thread;
    if (!meanwhile || !is_large || pthread_create(&thread, NULL, loader_main, loader)) {
        loader_main(loader);
        return;
    }
    while (!wait_a_little(loader))
        meanwhile(user);
    pthread_join(thread, NULL);
}

/* Moves what was read into the object. */
static int adopt(struct object *object, struct loader *loader)
{
    if (!object->indexed) {
        if (array_reserve(&loader->units, &loader->unit_capacity, loader->index.count + 1,
                          sizeof(struct unit *)))
            return -ENOMEM;
        object->index = loader->index;
        object->units = take_pointer(loader->units);
        object->units_bytes = loader->units_bytes;
        object->indexed = true;
        object->is_damaged |= object->index.is_damaged;
        loader->index = (struct unit_index){0};
        for (uint32_t i = 0; object->stored && i < loader->unit_count; i++)
            if (object->units[i])
                stored_module_want(object->stored, i);
        loader->unit_count = 0;
    }
    object->image = take_pointer(loader->image);
    object->is_damaged |= loader->is_damaged;
    object_set_alternate_problem(object, take_pointer(loader->alternate_problem));
    return 0;
}

bool object_lacks_lines(const struct object *object)
{
    return object->status == SYMBOL_LINE && !object->image && !object->go;
}

int object_load_lines(struct object *object, const uint64_t *vaddrs, size_t count,
                      void (*meanwhile)(void *user), void *user)
{
    if (!object_lacks_lines(object))
        return 0;
    struct loader loader = {
        .object = object,
        .vaddrs = vaddrs,
        .vaddr_count = count,
        .source = object_unit_source(object),
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .over = PTHREAD_COND_INITIALIZER,
    };
    loader.source.splits = NULL;
    run(&loader, meanwhile, user);
    int error = loader.error ? loader.error : adopt(object, &loader);
    free_loaded(&loader);
    if (error && error != -ENOMEM && error != -ECANCELED) {
        object->status = error == -EIO ? SYMBOL_UNREADABLE : SYMBOL_DAMAGED;
        error = 0;
    }
    return error;
}
