/* Code that is in no file: of each process what its JIT compiler tells. */
#include <errno.h>

#include "base/array.h"
#include "symbol/symbols_private.h"

static int get_jit(struct symbols *symbols, const struct target *target, struct jit **ret_jit)
{
    size_t at = 0;
    while (at < symbols->jit_count && symbols->jits[at].target != target)
        at++;
    if (at == symbols->jit_count) {
        if (array_reserve(&symbols->jits, &symbols->jit_capacity, at + 1, sizeof *symbols->jits))
            return -ENOMEM;
        symbols->jits[symbols->jit_count++] = (struct jit){.target = target};
    }
    *ret_jit = &symbols->jits[at];
    return 0;
}

/* For readers in other threads. */
static void note_jits(struct symbols *symbols)
{
    size_t locations = 0, named = 0;
    unsigned problems = 0;
    for (size_t i = 0; i < symbols->jit_count; i++) {
        locations += symbols->jits[i].count;
        named += symbols->jits[i].named;
        problems |= jit_problems(&symbols->jits[i]);
    }
    atomic_store_explicit(&symbols->jit_locations, locations, memory_order_relaxed);
    atomic_store_explicit(&symbols->jit_named, named, memory_order_relaxed);
    atomic_store_explicit(&symbols->jit_problems, problems, memory_order_relaxed);
}

int symbols_resolve_anonymous(struct symbols *symbols, const struct module *module,
                              const struct symbol_request *requests, size_t count)
{
    struct jit *jit;
    int error = get_jit(symbols, module->target, &jit);
    if (error)
        return error;
    if (!jit->module)
        jit->module = module->id;
    error = jit_resolve(jit, &symbols->store, requests, count);
    note_jits(symbols);
    return error;
}

int symbols_refresh(struct symbols *symbols, bool now, size_t *ret_named)
{
    size_t named = 0;
    int error = 0;
    for (size_t i = 0; i < symbols->jit_count && !error; i++)
        error = jit_refresh(&symbols->jits[i], &symbols->store, now, &named);
    note_jits(symbols);
    *ret_named = named;
    return error;
}

int symbols_add_jitdump(struct symbols *symbols, const struct module *module)
{
    struct jit *jit;
    int error = get_jit(symbols, module->target, &jit);
    return error ? error : jit_add_dump(jit, module->fd);
}

const struct target *symbols_take_replaced(struct symbols *symbols)
{
    for (size_t i = 0; i < symbols->jit_count; i++) {
        if (symbols->jits[i].was_replaced) {
            symbols->jits[i].was_replaced = false;
            return symbols->jits[i].target;
        }
    }
    return NULL;
}

struct symbol_jit symbols_jit(const struct symbols *symbols)
{
    return (struct symbol_jit){
        .locations = atomic_load_explicit(&symbols->jit_locations, memory_order_relaxed),
        .named = atomic_load_explicit(&symbols->jit_named, memory_order_relaxed),
        .problems = atomic_load_explicit(&symbols->jit_problems, memory_order_relaxed),
    };
}
