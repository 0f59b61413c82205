/* Leaves that say nothing about their frames. */
#include "unwind/leaf.h"

#include "unwind/code.h"

/* Of a leaf's frame so many words are looked at. */
#define LEAF_WORDS_MAX 64

struct cfi_rule leaf_start_rule(const struct architecture *architecture)
{
    bool is_pushed = architecture->lr == REGISTER_NONE;
    return (struct cfi_rule){
        .kind = CFI_RULE,
        .cfa_register = architecture->sp,
        .return_in_lr = !is_pushed,
        .cfa_offset = is_pushed ? 8 : 0,
        .return_offset = -8,
    };
}

/* The rule by which the function was called that this return address is in. */
static struct cfi_rule find_caller_rule(const struct walk *walk, uint64_t ip)
{
    uint64_t vaddr = 0;
    const struct module *module = walk->space->find(walk->space->user, ip - 1, &vaddr);
    return module && module->kind != MODULE_ANONYMOUS ? cfi_cache_find(walk->cfi, module, vaddr)
                                                      : (struct cfi_rule){.kind = CFI_NONE};
}

bool leaf_returns_to_link_register(const struct walk *walk, uint64_t saved_ip)
{
    const struct architecture *architecture = walk->architecture;
    if (walk->is_return_address || !registers_have(&walk->registers, architecture->lr))
        return false;
    uint64_t ip = walk->registers.values[architecture->lr] & walk->code_mask;
    return ip != saved_ip && find_caller_rule(walk, ip).kind != CFI_NONE;
}

/* The return address of a call by a pointer, in a function whose record `fp` points at. */
static bool is_owner_of_record(const struct walk *walk, uint64_t ip)
{
    const struct architecture *architecture = walk->architecture;
    uint64_t vaddr = 0;
    const struct module *module = walk->space->find(walk->space->user, ip - 1, &vaddr);
    if (!module || module->kind != MODULE_FILE)
        return false;
    const struct cfi_rule rule = cfi_cache_find(walk->cfi, module, vaddr);
    return rule.kind == CFI_RULE && rule.cfa_register == architecture->fp &&
           rule.cfa_offset == 16 && rule.fp_saved && rule.fp_offset == -16 &&
           code_follows_indirect_call(architecture, module, vaddr + 1);
}

bool leaf_finds_owner_of_record(struct walk *walk, const struct module *module, uint64_t *ret_slot,
                                uint64_t *ret_ip)
{
    const struct architecture *architecture = walk->architecture;
    uint64_t slot = walk->registers.values[architecture->sp];
    uint64_t fp = walk->registers.values[architecture->fp];
    if (walk->is_return_address || module->kind != MODULE_ANONYMOUS)
        return false;
    for (unsigned i = 0; i < LEAF_WORDS_MAX && slot < fp; i++, slot += 8) {
        if (!walk_read(walk, slot, ret_ip))
            return false;
        if (is_owner_of_record(walk, *ret_ip)) {
            *ret_slot = slot;
            return true;
        }
    }
    return false;
}

/* The same walk, to be given up: what it reads is noted at the leaf's caller, which comes next. */
static struct walk look_ahead(const struct walk *walk)
{
    struct walk ahead = *walk;
    if (ahead.link == ahead.leaf)
        ahead.link++;
    ahead.link->read_count = 0;
    return ahead;
}

bool leaf_guess_leads_on(const struct walk *walk)
{
    const struct cfi_rule rule = find_caller_rule(walk, walk->ip);
    struct walk ahead = look_ahead(walk);
    uint64_t vaddr;
    if (rule.kind != CFI_RULE)
        return true; /* nobody knows */
    ahead.is_return_address = true;
    ahead.ran_out = ahead.absent = ahead.other_stack = false;
    switch (walk_step_by_rule(&ahead, &rule)) {
    case STEP_CALLER:
        return ahead.space->find(ahead.space->user, ahead.ip - 1, &vaddr) != NULL;
    case STEP_FAILED:
        return ahead.ran_out || ahead.absent || ahead.other_stack;
    default:
        return true;
    }
}

/*
 * A function that has just been called, at its first instruction, where the first page fault of a
 * library's .init often is.
 */
static bool is_bare_start(const struct module *module, uint64_t vaddr)
{
    return vaddr != 0 && (vaddr == module->init || vaddr == module->fini);
}

/* A return address on top of the stack, after which the stack goes on. */
static bool has_caller_on_top(struct walk *walk)
{
    const struct architecture *architecture = walk->architecture;
    const struct cfi_rule start = leaf_start_rule(architecture);
    uint64_t ip = 0;
    if (start.return_in_lr || !walk_read(walk, walk->registers.values[architecture->sp], &ip) ||
        find_caller_rule(walk, ip).kind == CFI_NONE)
        return false;
    struct walk ahead = look_ahead(walk);
    return walk_step_by_rule(&ahead, &start) == STEP_CALLER && leaf_guess_leads_on(&ahead);
}

bool leaf_has_no_frame(struct walk *walk, const struct module *module, uint64_t vaddr)
{
    if (walk->is_return_address || module->kind == MODULE_ANONYMOUS)
        return false;
    return is_bare_start(module, vaddr) || has_caller_on_top(walk);
}
