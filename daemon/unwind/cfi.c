/* Call frame information as rules: libdw decodes, a direct-mapped cache remembers. */
#include "unwind/cfi.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "lprofd/sample.h"
#include "unwind/cfi_image.h"
#include "unwind/debug_frame.h"
#include "unwind/go_frames.h"
#include "unwind/trampoline.h"

#define SLOT_BITS 15
#define SLOTS ((size_t)1 << SLOT_BITS)

struct slot {
    uint64_t vaddr;
    uint32_t module; /* 0: free */
    struct cfi_rule rule;
};

/* One module's unwind information, opened when first needed. */
struct module_cfi {
    struct debug_frame debug; /* opened for the first address that .eh_frame does not cover */
    bool debug_opened;
    bool opened;
    struct cfi_image *image; /* owned; NULL when the module has none */
    struct go_frames *go;    /* owned; opened when neither covers an address */
    bool go_opened;
};

struct cfi_cache {
    const struct architecture *architecture; /* borrowed */
    struct slot *slots;                      /* owned; SLOTS of them */
    struct module_cfi *modules;              /* owned; by module id */
    size_t module_count, module_capacity;
    size_t bytes, bytes_max; /* held of modules' information */
};

int cfi_cache_new(const struct architecture *architecture, size_t bytes_max,
                  struct cfi_cache **ret_cache)
{
    struct cfi_cache *cache = calloc(1, sizeof *cache);
    if (cache)
        cache->slots = calloc(SLOTS, sizeof *cache->slots);
    if (!cache || !cache->slots) {
        free(cache);
        return -ENOMEM;
    }
    cache->architecture = architecture;
    cache->bytes_max = bytes_max;
    *ret_cache = cache;
    return 0;
}

void cfi_cache_free(struct cfi_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->module_count; i++) {
        go_frames_free(cache->modules[i].go);
        debug_frame_close(&cache->modules[i].debug);
        cfi_image_free(cache->modules[i].image);
    }
    free(cache->modules);
    free(cache->slots);
    free(cache);
}

/* A sparse file has as much as we are willing to read, for nothing, and a target has many files. */
static bool has_room(const struct cfi_cache *cache)
{
    return cache->bytes < cache->bytes_max;
}

static Dwarf_CFI *module_cfi(struct cfi_cache *cache, const struct module *module)
{
    while (cache->module_count <= module->id) {
        if (array_reserve(&cache->modules, &cache->module_capacity, cache->module_count + 1,
                          sizeof *cache->modules))
            return NULL;
        cache->modules[cache->module_count++] = (struct module_cfi){0};
    }
    struct module_cfi *entry = &cache->modules[module->id];
    if (!entry->opened && has_room(cache)) {
        (void)cfi_image_load(module, &entry->image); /* without it, frame pointers are followed */
        cache->bytes += cfi_image_bytes(entry->image);
    }
    entry->opened = true;
    return cfi_image_cfi(entry->image);
}

/* NULL when the module has none. */
static Dwarf_CFI *debug_cfi(struct cfi_cache *cache, const struct module *module)
{
    if (module->id >= cache->module_count)
        return NULL;
    struct module_cfi *entry = &cache->modules[module->id];
    if (!entry->debug_opened && module->fd >= 0 && has_room(cache)) {
        (void)debug_frame_open(module->fd, &entry->debug);
        cache->bytes += entry->debug.length;
    }
    entry->debug_opened = true;
    return entry->debug.cfi;
}

static Dwarf_Frame *frame_at(Dwarf_CFI *cfi, uint64_t vaddr)
{
    Dwarf_Frame *frame = NULL;
    return cfi && dwarf_cfi_addrframe(cfi, vaddr, &frame) == 0 ? frame : NULL;
}

Dwarf_Frame *cfi_frame(struct cfi_cache *cache, const struct module *module, uint64_t vaddr)
{
    Dwarf_Frame *frame = frame_at(module_cfi(cache, module), vaddr);
    return frame ? frame : frame_at(debug_cfi(cache, module), vaddr);
}

/* Where the caller's register is: the ways that a plain rule can express, or none of them. */
enum place { PLACE_SAME, PLACE_UNDEFINED, PLACE_SAVED, PLACE_OTHER };

static enum place find_place(Dwarf_Frame *frame, int number, int32_t *ret_offset)
{
    Dwarf_Op memory[3], *ops = NULL;
    size_t count = 0;
    if (dwarf_frame_register(frame, number, memory, &ops, &count) < 0)
        return PLACE_OTHER;
    if (count == 0)
        return ops ? PLACE_UNDEFINED : PLACE_SAME;
    if (ops[0].atom != DW_OP_call_frame_cfa)
        return PLACE_OTHER;
    if (count == 1) {
        *ret_offset = 0;
        return PLACE_SAVED;
    }
    if (count != 2 || ops[1].atom != DW_OP_plus_uconst)
        return PLACE_OTHER;
    int64_t offset = (int64_t)ops[1].number;
    if (offset != (int32_t)offset)
        return PLACE_OTHER;
    *ret_offset = (int32_t)offset;
    return PLACE_SAVED;
}

/* The CFA as register plus offset. False when it is anything else. */
static bool plain_cfa(Dwarf_Frame *frame, struct cfi_rule *rule)
{
    Dwarf_Op *ops = NULL;
    size_t count = 0;
    if (dwarf_frame_cfa(frame, &ops, &count) < 0 || count != 1 || ops[0].atom != DW_OP_bregx)
        return false;
    int64_t offset = (int64_t)ops[0].number2;
    if (ops[0].number >= REGISTER_COUNT || offset != (int32_t)offset)
        return false;
    rule->cfa_register = (uint8_t)ops[0].number;
    rule->cfa_offset = (int32_t)offset;
    return true;
}

static struct cfi_rule compile(const struct architecture *architecture, Dwarf_Frame *frame)
{
    struct cfi_rule rule = {.kind = CFI_EXPRESSION};
    int return_column = dwarf_frame_info(frame, NULL, NULL, &rule.is_signal_frame);
    if (return_column < 0)
        return (struct cfi_rule){.kind = CFI_NONE};
    enum place place = find_place(frame, return_column, &rule.return_offset);
    if (place == PLACE_UNDEFINED)
        rule.kind = CFI_ROOT;
    if (place == PLACE_UNDEFINED || place == PLACE_OTHER || !plain_cfa(frame, &rule))
        return rule;
    rule.return_in_lr = place == PLACE_SAME && return_column == architecture->lr;
    if (place == PLACE_SAME && !rule.return_in_lr)
        return rule;

    place = find_place(frame, architecture->fp, &rule.fp_offset);
    rule.fp_saved = place == PLACE_SAVED;
    if (place == PLACE_SAVED || place == PLACE_SAME)
        rule.kind = CFI_RULE;
    return rule;
}

/* NULL when the module is no Go program. */
static const struct go_frames *go_frames(struct cfi_cache *cache, const struct module *module)
{
    if (module->id >= cache->module_count)
        return NULL;
    struct module_cfi *entry = &cache->modules[module->id];
    if (!entry->go_opened && has_room(cache)) {
        (void)go_frames_open(module, &entry->go);
        cache->bytes += go_frames_bytes(entry->go);
    }
    entry->go_opened = true;
    return entry->go;
}

/*
 * What Go writes for debuggers has the same frame sizes as its own table, but not where code leaves
 * its stack for another.
 */
static struct cfi_rule without_eh_frame(struct cfi_cache *cache, const struct module *module,
                                        uint64_t vaddr)
{
    if (trampoline_is_at(&cache->architecture->trampoline, module, vaddr))
        return (struct cfi_rule){.kind = CFI_SIGNAL, .is_signal_frame = true};
    struct cfi_rule rule = go_frames_rule(go_frames(cache, module), cache->architecture, vaddr);
    if (rule.kind != CFI_NONE)
        return rule;
    _cleanup_free_ Dwarf_Frame *frame = frame_at(debug_cfi(cache, module), vaddr);
    return frame ? compile(cache->architecture, frame) : rule;
}

static struct cfi_rule find_rule(struct cfi_cache *cache, const struct module *module,
                                 uint64_t vaddr)
{
    _cleanup_free_ Dwarf_Frame *frame = frame_at(module_cfi(cache, module), vaddr);
    return frame ? compile(cache->architecture, frame) : without_eh_frame(cache, module, vaddr);
}

struct cfi_rule cfi_cache_find(struct cfi_cache *cache, const struct module *module, uint64_t vaddr)
{
    struct slot *slot = &cache->slots[hash_pair(vaddr, module->id) & (SLOTS - 1)];
    if (slot->module != module->id || slot->vaddr != vaddr) {
        slot->rule = find_rule(cache, module, vaddr);
        slot->module = module->id;
        slot->vaddr = vaddr;
    }
    return slot->rule;
}
