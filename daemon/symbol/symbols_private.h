/* The inside of a struct symbols: shared by the files of this folder only. */
#pragma once

#include <stdatomic.h>

#include "base/cancel.h"
#include "lprofd/symbols.h"
#include "symbol/jit.h"
#include "symbol/kernel.h"
#include "symbol/object.h"
#include "symbol/store.h"

struct symbols {
    struct cancel cancel;
    struct store store;
    struct object **objects; /* owned, by module id; NULL until a module is asked for */
    size_t object_count, object_capacity;
    struct jit *jits; /* owned: one for each process that has anonymous code */
    size_t jit_count, jit_capacity;
    _Atomic(size_t) jit_locations, jit_named;
    atomic_uint jit_problems;
    struct kernel_symbols kernel;
    bool kernel_read;
    int kernel_error;
    struct disk_cache *disk_cache; /* owned; NULL: nothing is kept on disk */
    struct object *keeping;        /* borrowed: what is being kept of it; NULL: of none */
    uint64_t uses;                 /* a clock for object->last_use */
    _Atomic(size_t) cache_bytes;   /* of objects, kernel and JIT code */
};

/* A call's return address may already belong to the next line, or the next function. */
static inline uint64_t symbol_request_vaddr(const struct symbol_request *request)
{
    return request->vaddr - (request->is_return_address && request->vaddr > 0);
}

static inline bool symbols_has_elf_file(const struct module *module)
{
    return module->kind == MODULE_FILE || module->kind == MODULE_VDSO;
}

/* The object of a module, which is opened if it was not; borrowed. 0, -ENOMEM or -ECANCELED. */
int symbols_get_object(struct symbols *symbols, const struct module *module,
                       struct object **ret_object);

/* Names, and lines where they are told, of a process's anonymous code. 0 or -ENOMEM. */
int symbols_resolve_anonymous(struct symbols *symbols, const struct module *module,
                              const struct symbol_request *requests, size_t count);

/* As symbols_load_lines(). */
int symbols_load_object(struct object *object, const struct symbol_request *requests, size_t count,
                        void (*meanwhile)(void *user), void *user);

/* Counts what is held. */
void symbols_count_memory(struct symbols *symbols);

/* The same, and lets go of debug sections that were not used for longest: not of those of `in_use`.
 */
void symbols_trim(struct symbols *symbols, const struct object *in_use);
