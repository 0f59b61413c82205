/* The stage's public functions: which source answers for which kind of module. */
#include "lprofd/symbols.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "symbol/demangle.h"
#include "symbol/path.h"
#include "symbol/symbols_private.h"

/* Of .debug_info, from which on lines are kept on disk: less is read in no time. */
#define KEPT_BYTES_MIN (4u << 20)

const char *symbol_status_name(enum symbol_status status)
{
    static const char *const names[SYMBOL_STATUS_COUNT] = {
        [SYMBOL_PENDING] = "pending", [SYMBOL_NAME_ONLY] = "name_only",
        [SYMBOL_LINE] = "line",       [SYMBOL_NO_DEBUG_INFO] = "no_debug_info",
        [SYMBOL_NO_LINE] = "no_line", [SYMBOL_NO_MODULE] = "no_module",
        [SYMBOL_KERNEL] = "kernel",   [SYMBOL_UNREADABLE] = "unreadable",
        [SYMBOL_DAMAGED] = "damaged",
    };
    return (unsigned)status < SYMBOL_STATUS_COUNT ? names[status] : "unknown";
}

int symbols_new(struct symbols **ret_symbols)
{
    _cleanup_free_ struct symbols *symbols = calloc(1, sizeof *symbols);
    if (!symbols)
        return -ENOMEM;
    int error = store_init(&symbols->store);
    if (error)
        return error;
    *ret_symbols = take_pointer(symbols);
    return 0;
}

void symbols_free(struct symbols *symbols)
{
    if (!symbols)
        return;
    for (size_t i = 0; i < symbols->object_count; i++)
        object_free(symbols->objects[i]);
    free(symbols->objects);
    for (size_t i = 0; i < symbols->jit_count; i++)
        jit_free(&symbols->jits[i]);
    free(symbols->jits);
    disk_cache_free(symbols->disk_cache);
    kernel_symbols_free(&symbols->kernel);
    store_free(&symbols->store);
    free(symbols);
}

int symbols_use_cache(struct symbols *symbols, const char *directory)
{
    return disk_cache_new(directory, DISK_CACHE_BYTES_MAX, &symbols->disk_cache);
}

char *symbols_cache_problem(const struct symbols *symbols)
{
    return symbols->disk_cache ? disk_cache_problem(symbols->disk_cache) : NULL;
}

static int use_cache(const struct symbols *symbols, struct object *object)
{
    return symbols->disk_cache ? object_use_cache(object, symbols->disk_cache, KEPT_BYTES_MIN) : 0;
}

int symbols_get_object(struct symbols *symbols, const struct module *module,
                       struct object **ret_object)
{
    if (cancel_is_wanted(&symbols->cancel))
        return -ECANCELED;
    if (array_reserve(&symbols->objects, &symbols->object_capacity, (size_t)module->id + 1,
                      sizeof(struct object *)))
        return -ENOMEM;
    while (symbols->object_count <= module->id)
        symbols->objects[symbols->object_count++] = NULL;
    struct object **object = &symbols->objects[module->id];
    if (!*object) {
        int error = object_open(module, &symbols->cancel, object);
        if (!error)
            error = use_cache(symbols, *object);
        if (error)
            return error;
    }
    (*object)->last_use = ++symbols->uses;
    *ret_object = *object;
    return 0;
}

/* Publishes one frame that has a function and no more. */
static int publish_function(struct symbols *symbols, uint32_t location, uint32_t module,
                            const char *name, enum symbol_status status)
{
    struct frame frame = {0};
    int error = store_add_function(&symbols->store, name, module, 0, 0, &frame.function);
    return error ? error : store_publish(&symbols->store, location, &frame, 1, status);
}

static int publish_all(struct symbols *symbols, const struct module *module, const char *name,
                       enum symbol_status status, const struct symbol_request *requests,
                       size_t count)
{
    int error = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = publish_function(symbols, requests[i].location, module->id, name, status);
    return error;
}

/* "[sbcl.core]": nothing tells functions of such a file apart. */
static int format_foreign(const struct module *module, char **ret_name)
{
    return asprintf(ret_name, "[%s]", path_basename(module->path)) < 0 ? -ENOMEM : 0;
}

/* "[libfoo.so+0x1234]"; the vdso's own brackets are not repeated. */
static int format_unnamed(const struct module *module, uint64_t vaddr, char **ret_name)
{
    const char *base = path_basename(module->path);
    int length = (int)strlen(base);
    if (base[0] == '[' && length > 1 && base[length - 1] == ']') {
        base++;
        length -= 2;
    }
    return asprintf(ret_name, "[%.*s+0x%" PRIx64 "]", length, base, vaddr) < 0 ? -ENOMEM : 0;
}

/* The ELF symbol, or where the function begins. */
static int elf_name(struct object *object, const struct symbol_request *request, char **ret_name)
{
    const char *symbol = elf_symbols_find(&object->symbols, symbol_request_vaddr(request));
    if (symbol)
        return demangle(symbol, ret_name);
    if (object->is_foreign)
        return format_foreign(object->module, ret_name);
    uint64_t vaddr = symbol_request_vaddr(request), start;
    const char *go = object->go ? go_lines_function(object->go, vaddr) : NULL;
    if (go) {
        *ret_name = strdup(go);
        return *ret_name ? 0 : -ENOMEM;
    }
    int error = object_unnamed_start(object, vaddr, &start);
    if (error)
        return error;
    return format_unnamed(object->module, start == vaddr ? request->vaddr : start, ret_name);
}

static int publish_elf_names(struct symbols *symbols, struct object *object,
                             enum symbol_status status, const struct symbol_request *requests,
                             size_t count)
{
    int error = 0;
    for (size_t i = 0; i < count && !error; i++) {
        _cleanup_free_ char *name = NULL;
        error = elf_name(object, &requests[i], &name);
        if (!error)
            error =
                publish_function(symbols, requests[i].location, object->module->id, name, status);
    }
    return error;
}

static int resolve_kernel(struct symbols *symbols, const struct module *module,
                          const struct symbol_request *requests, size_t count)
{
    if (!symbols->kernel_read) {
        symbols->kernel_error = kernel_symbols_read(&symbols->cancel, &symbols->kernel);
        if (symbols->kernel_error == -ENOMEM || symbols->kernel_error == -ECANCELED)
            return symbols->kernel_error;
        symbols->kernel_read = true;
    }
    if (symbols->kernel_error)
        return publish_all(symbols, module, "[kernel]", SYMBOL_UNREADABLE, requests, count);
    int error = 0;
    for (size_t i = 0; i < count && !error; i++) {
        const char *name =
            kernel_symbols_find(&symbols->kernel, symbol_request_vaddr(&requests[i]));
        error = publish_function(symbols, requests[i].location, module->id,
                                 name ? name : "[kernel]", SYMBOL_KERNEL);
    }
    return error;
}

/* Kinds of which there are never lines. -ENOTSUP for the others. */
static int resolve_without_lines(struct symbols *symbols, const struct module *module,
                                 const struct symbol_request *requests, size_t count)
{
    switch (module->kind) {
    case MODULE_KERNEL:
        return resolve_kernel(symbols, module, requests, count);
    case MODULE_ANONYMOUS:
        return symbols_resolve_anonymous(symbols, module, requests, count);
    case MODULE_NONE:
        return publish_all(symbols, module, "[unknown]", SYMBOL_NO_MODULE, requests, count);
    default:
        return -ENOTSUP;
    }
}

int symbols_add_debug_file(struct symbols *symbols, const struct module *module, int fd,
                           int alternate_fd)
{
    struct object *object;
    int error = symbols_get_object(symbols, module, &object);
    if (!error) {
        error = object_add_debug(object, fd, alternate_fd);
        return error ? error : use_cache(symbols, object);
    }
    close(fd);
    if (alternate_fd >= 0)
        close(alternate_fd);
    return error;
}

int symbols_resolve_names(struct symbols *symbols, const struct module *module,
                          const struct symbol_request *requests, size_t count)
{
    int error = resolve_without_lines(symbols, module, requests, count);
    if (error != -ENOTSUP)
        return error;
    struct object *object;
    error = symbols_get_object(symbols, module, &object);
    if (error)
        return error;
    enum symbol_status status = object->status == SYMBOL_LINE ? SYMBOL_NAME_ONLY : object->status;
    error = publish_elf_names(symbols, object, status, requests, count);
    symbols_count_memory(symbols); /* lines are others' to forget */
    return error;
}

char *symbols_problem(const struct symbols *symbols, const struct module *module)
{
    const struct object *object =
        module->id < symbols->object_count ? symbols->objects[module->id] : NULL;
    return object ? object_problem(object) : NULL;
}

static bool has_line(const struct frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (frames[i].file && frames[i].line)
            return true;
    return false;
}

/* A Go program's own table is silent about what other compilers made of it. */
static enum symbol_status status_without_line(const struct object *object, uint64_t vaddr)
{
    if (object->go && !go_lines_function(object->go, vaddr))
        return SYMBOL_NO_DEBUG_INFO;
    return object_is_damaged_at(object, vaddr) ? SYMBOL_DAMAGED : SYMBOL_NO_LINE;
}

/* Of object_resolve() and object_resolve_stored(). */
typedef int resolve_fn(struct object *object, struct store *store, uint64_t vaddr,
                       uint32_t fallback, struct frame *ret_frames, size_t *ret_count);

static int publish_lines(struct symbols *symbols, struct object *object, resolve_fn *resolve,
                         const struct symbol_request *request, struct frame *frames)
{
    _cleanup_free_ char *name = NULL;
    uint32_t fallback;
    size_t count;
    if (cancel_is_wanted(&symbols->cancel))
        return -ECANCELED;
    int error = elf_name(object, request, &name);
    if (!error)
        error = store_add_function(&symbols->store, name, object->module->id, 0, 0, &fallback);
    if (!error)
        error = resolve(object, &symbols->store, symbol_request_vaddr(request), fallback, frames,
                        &count);
    if (error)
        return error;
    return store_publish(&symbols->store, request->location, frames, count,
                         has_line(frames, count)
                             ? SYMBOL_LINE
                             : status_without_line(object, symbol_request_vaddr(request)));
}

int symbols_resolve_kept_lines(struct symbols *symbols, const struct module *module,
                               struct symbol_request *requests, size_t count, size_t *ret_left)
{
    struct object *object;
    size_t left = 0;
    *ret_left = count;
    if (!symbols_has_elf_file(module) || !symbols->disk_cache)
        return 0;
    int error = symbols_get_object(symbols, module, &object);
    if (error || !object->stored)
        return error;
    _cleanup_free_ struct frame *frames = calloc(FRAMES_PER_LOCATION_MAX, sizeof *frames);
    if (!frames)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (publish_lines(symbols, object, object_resolve_stored, &requests[i], frames) == 0)
            continue;
        struct symbol_request other = requests[left];
        requests[left++] = requests[i];
        requests[i] = other;
    }
    symbols_count_memory(symbols);
    *ret_left = left;
    return 0;
}

int symbols_resolve_lines(struct symbols *symbols, const struct module *module,
                          const struct symbol_request *requests, size_t count)
{
    int error = resolve_without_lines(symbols, module, requests, count);
    if (error != -ENOTSUP)
        return error;
    struct object *object;
    error = symbols_get_object(symbols, module, &object);
    if (!error)
        error = symbols_load_object(object, requests, count, NULL, NULL);
    if (error)
        return error;
    if (object->status != SYMBOL_LINE)
        return publish_elf_names(symbols, object, object->status, requests, count);

    _cleanup_free_ struct frame *frames = calloc(FRAMES_PER_LOCATION_MAX, sizeof *frames);
    if (!frames)
        return -ENOMEM;
    for (size_t i = 0; i < count && !error; i++)
        error = publish_lines(symbols, object, object_resolve, &requests[i], frames);
    symbols_trim(symbols, object);
    return error;
}

int symbols_publish_name(struct symbols *symbols, uint32_t location, const char *name)
{
    return publish_function(symbols, location, 0, name, SYMBOL_NO_MODULE);
}
