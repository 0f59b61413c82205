/* Loads lines ahead of the requests for them, or gives up what is being loaded. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "symbol/symbols_private.h"

void symbols_cancel(struct symbols *symbols)
{
    cancel_want(&symbols->cancel);
}

static int compare_vaddrs(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

int symbols_load_object(struct object *object, const struct symbol_request *requests, size_t count,
                        void (*meanwhile)(void *user), void *user)
{
    if (!object_lacks_lines(object))
        return 0;
    _cleanup_free_ uint64_t *vaddrs = calloc(count + 1, sizeof *vaddrs);
    if (!vaddrs)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        vaddrs[i] = symbol_request_vaddr(&requests[i]);
    qsort(vaddrs, count, sizeof *vaddrs, compare_vaddrs);
    return object_load_lines(object, vaddrs, count, meanwhile, user);
}

int symbols_load_lines(struct symbols *symbols, const struct module *module,
                       const struct symbol_request *requests, size_t count,
                       void (*meanwhile)(void *user), void *user)
{
    struct object *object;
    if (!symbols_has_elf_file(module))
        return 0;
    int error = symbols_get_object(symbols, module, &object);
    return error ? error : symbols_load_object(object, requests, count, meanwhile, user);
}
