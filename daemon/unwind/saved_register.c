/* Registers of a caller by whatever call frame information says of where its callees left them. */
#include "unwind/saved_register.h"

#include "base/cleanup.h"
#include "unwind/expression.h"

static bool read_for_expression(const void *user, uint64_t address, uint64_t *ret_value)
{
    return walk_read((struct walk *)user, address, ret_value);
}

/*
 * An epilogue pops registers without saying so (GCC leaves their rules in place): a slot below the
 * stack pointer is free again, and the register holds the caller's value.
 */
static bool is_popped(const struct walk *walk, unsigned number, uint64_t slot)
{
    unsigned sp = walk->architecture->sp;
    return registers_have(&walk->registers, sp) && registers_have(&walk->registers, number) &&
           slot < walk->registers.values[sp];
}

bool saved_register(struct walk *walk, Dwarf_Frame *frame, unsigned number, uint64_t cfa,
                    uint64_t *ret_value)
{
    Dwarf_Op memory[3], *ops = NULL;
    size_t count = 0;
    if (dwarf_frame_register(frame, (int)number, memory, &ops, &count) < 0)
        return false;
    if (count == 0) {
        /* Not mentioned, or "undefined": libdw does not tell which. Nobody undefines the kept. */
        bool is_kept = !ops || (walk->architecture->kept_mask & register_bit(number));
        if (!is_kept || !registers_have(&walk->registers, number))
            return false;
        *ret_value = walk->registers.values[number];
        return true;
    }
    struct expression_input input = {&walk->registers, cfa, read_for_expression, walk};
    uint64_t value = 0;
    switch (expression_evaluate(ops, count, &input, &value)) {
    case EXPRESSION_VALUE:
        *ret_value = value;
        return true;
    case EXPRESSION_ADDRESS:
        if (!is_popped(walk, number, value))
            return walk_read(walk, value, ret_value);
        *ret_value = walk->registers.values[number];
        return true;
    default:
        return false;
    }
}

bool saved_register_cfa(struct walk *walk, Dwarf_Frame *frame, uint64_t *ret_cfa)
{
    Dwarf_Op *ops = NULL;
    size_t count = 0;
    struct expression_input input = {&walk->registers, 0, read_for_expression, walk};
    return dwarf_frame_cfa(frame, &ops, &count) == 0 &&
           expression_evaluate(ops, count, &input, ret_cfa) != EXPRESSION_FAILED;
}

/* What the frame at `link`, in which the register is *value, left of it to its caller. */
static bool pass_up(struct walk *walk, const struct chain_link *link, unsigned number,
                    uint64_t *value)
{
    const struct architecture *architecture = walk->architecture;
    uint64_t vaddr = 0, cfa = 0, ip = link->ip - link->frame.is_return_address;
    const struct module *module = walk->space->find(walk->space->user, ip, &vaddr);
    if (!module || module->kind == MODULE_ANONYMOUS)
        return false;
    if (link > walk->leaf)
        walk->registers.valid = (link->valid & walk->with_fp) | register_bit(number);
    walk->registers.values[architecture->ip] = link->ip;
    walk->registers.values[architecture->sp] = link->sp;
    walk->registers.values[architecture->fp] = link->fp;
    walk->registers.values[number] = *value;
    _cleanup_free_ Dwarf_Frame *frame = cfi_frame(walk->cfi, module, vaddr);
    return frame && saved_register_cfa(walk, frame, &cfa) &&
           saved_register(walk, frame, number, cfa, value);
}

bool saved_register_since_leaf(struct walk *walk, unsigned number, uint64_t *ret_value)
{
    struct kept_register *kept = &walk->kept[number];
    struct registers reached = walk->registers;
    if (!kept->link)
        *kept = (struct kept_register){walk->leaf, walk->sample->registers.values[number],
                                       registers_have(&walk->sample->registers, number)};
    walk->registers = walk->sample->registers;
    for (; kept->is_known && kept->link < walk->link; kept->link++)
        kept->is_known = pass_up(walk, kept->link, number, &kept->value);
    walk->registers = reached;
    walk->link->is_unknown = true; /* the way to the next frame depends on all frames before */
    if (kept->is_known)
        *ret_value = kept->value;
    return kept->is_known;
}
