/* Finds the pieces of one module in the cache on disk, and adds those that were missing. */
#include "symbol/stored_module.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"

/* What was read is a cache, too: all that was asked for is published already. */
#define UNITS_BYTES_MAX (64u << 20)

int stored_module_new(struct disk_cache *cache, char *identity_to_take,
                      struct stored_module **ret_module)
{
    struct stored_module *module = calloc(1, sizeof *module);
    if (!module) {
        free(identity_to_take);
        return -ENOMEM;
    }
    module->cache = cache;
    module->identity = identity_to_take;
    *ret_module = module;
    return 0;
}

static void forget_units(struct stored_module *module)
{
    for (size_t i = 0; module->units && i < module->index.count; i++) {
        stored_unit_free(module->units[i]);
        module->units[i] = NULL;
    }
    module->units_bytes = 0;
}

void stored_module_free(struct stored_module *module)
{
    if (!module)
        return;
    forget_units(module);
    stored_unit_build_free(module->build);
    stored_index_free(&module->index);
    free(module->units);
    free(module->is_absent);
    free(module->is_wanted);
    free(module->wanted);
    free(module->identity);
    free(module);
}

/* --- reading -------------------------------------------------------------------------------- */

/* malloc'ed; NULL when there is no memory. */
static char *index_identity(const struct stored_module *module)
{
    char *text;
    return asprintf(&text, "%sindex\n", module->identity) < 0 ? NULL : text;
}

static char *unit_identity(const struct stored_module *module, uint64_t offset)
{
    char *text;
    return asprintf(&text, "%sunit %#" PRIx64 "\n", module->identity, offset) < 0 ? NULL : text;
}

static int read_index(struct stored_module *module)
{
    _cleanup_free_ char *identity = index_identity(module);
    _cleanup_free_ unsigned char *bytes = NULL;
    size_t length;
    if (!identity)
        return -ENOMEM;
    int error = disk_cache_read(module->cache, identity, &bytes, &length);
    if (!error)
        error = stored_index_open(bytes, length, &module->index);
    if (error)
        return error == -ENOMEM ? error : -ENOENT;
    module->units = calloc(module->index.count + 1, sizeof(struct stored_unit *));
    module->is_absent = calloc(module->index.count + 1, sizeof *module->is_absent);
    if (!module->units || !module->is_absent)
        return -ENOMEM;
    module->has_index = true;
    return 0;
}

static int get_index(struct stored_module *module)
{
    if (!module->index_sought) {
        module->index_sought = true;
        return read_index(module);
    }
    return module->has_index ? 0 : -ENOENT;
}

static int read_unit(struct stored_module *module, uint32_t position)
{
    _cleanup_free_ char *identity = unit_identity(module, module->index.offsets[position]);
    unsigned char *bytes;
    size_t length;
    if (!identity)
        return -ENOMEM;
    int error = disk_cache_read(module->cache, identity, &bytes, &length);
    if (!error)
        error = stored_unit_open(bytes, length, &module->units[position]);
    if (error == -ENOMEM)
        return error;
    module->is_absent[position] = error;
    if (!error)
        module->units_bytes += stored_unit_bytes(module->units[position]);
    return error ? -ENOENT : 0;
}

static int get_unit(struct stored_module *module, uint32_t position)
{
    if (module->units[position])
        return 0;
    if (module->is_absent[position])
        return -ENOENT;
    if (module->units_bytes > UNITS_BYTES_MAX)
        forget_units(module);
    return read_unit(module, position);
}

int stored_module_resolve(struct stored_module *module, struct store *store, uint32_t module_id,
                          uint32_t fallback, uint64_t vaddr, struct frame *ret_frames,
                          size_t *ret_count)
{
    int error = get_index(module);
    if (error)
        return error;
    uint32_t position = range_map_find(&module->index.map, vaddr);
    if (position == RANGE_NONE) {
        ret_frames[0] = (struct frame){.function = fallback};
        *ret_count = 1;
        return 0;
    }
    error = get_unit(module, position);
    if (error)
        return error;
    return stored_unit_resolve(module->units[position], store, module_id, fallback, vaddr,
                               ret_frames, ret_count);
}

/* --- writing -------------------------------------------------------------------------------- */

void stored_module_want(struct stored_module *module, uint32_t position)
{
    if (array_reserve(&module->is_wanted, &module->is_wanted_capacity, (size_t)position + 1, 1))
        return;
    while (module->is_wanted_count <= position)
        module->is_wanted[module->is_wanted_count++] = false;
    if (module->is_wanted[position] ||
        array_reserve(&module->wanted, &module->wanted_capacity, module->wanted_count + 1,
                      sizeof *module->wanted))
        return;
    module->is_wanted[position] = true;
    module->wanted[module->wanted_count++] = position;
}

bool stored_module_has_work(const struct stored_module *module)
{
    return !module->cache->error && module->wanted_done < module->wanted_count;
}

/* What fails is remembered by the cache. */
static void write_index(struct stored_module *module, const struct unit_index *index)
{
    _cleanup_free_ char *identity = index_identity(module);
    _cleanup_free_ unsigned char *bytes = NULL;
    size_t length;
    if (identity && stored_index_build(index, &bytes, &length) == 0)
        (void)disk_cache_write(module->cache, identity, bytes, length);
}

static void write_unit(struct stored_module *module, uint64_t offset)
{
    _cleanup_free_ char *identity = unit_identity(module, offset);
    _cleanup_free_ unsigned char *bytes = NULL;
    size_t length;
    if (identity && stored_unit_build_finish(module->build, &bytes, &length) == 0)
        (void)disk_cache_write(module->cache, identity, bytes, length);
}

/* The first unit brings the index with it, which is of no use without one. */
static void finish(struct stored_module *module, const struct unit_index *index, uint32_t position)
{
    if (!module->has_index && !module->index_written)
        write_index(module, index);
    module->index_written = true;
    write_unit(module, index->units[position].offset);
}

void stored_module_work(struct stored_module *module, const struct unit_source *source,
                        const struct unit_index *index)
{
    uint32_t position = module->wanted[module->wanted_done];
    /* What lies outside of all units is not known to be without lines when some are unknown. */
    int error = position < index->count && !index->is_damaged ? 0 : -EBADMSG;
    if (!error && !module->build)
        error = stored_unit_build_new(source, &index->units[position], &module->build);
    if (!error)
        error = stored_unit_build_step(module->build);
    if (error == -EAGAIN)
        return;
    if (!error)
        finish(module, index, position);
    stored_module_leave_image(module);
    module->wanted_done++;
}

void stored_module_leave_image(struct stored_module *module)
{
    stored_unit_build_free(module->build);
    module->build = NULL;
}

size_t stored_module_bytes(const struct stored_module *module)
{
    return module ? sizeof *module + stored_index_bytes(&module->index) + module->units_bytes +
                        module->wanted_capacity * sizeof *module->wanted
                  : 0;
}
