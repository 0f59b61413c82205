/* One step up a stack: by call frame information, signal trampolines, link registers or frame
 * pointers. */
#include "unwind/walk.h"

#include <string.h>

#include "base/cleanup.h"
#include "unwind/leaf.h"
#include "unwind/saved_register.h"

/* How far apart frames of one stack may be: eight times what threads get by default. */
#define STACK_BYTES_MAX (UINT64_C(64) << 20)
/* More than arguments and environment of a program take, above its frames (execve(2): 6 MiB). */
#define ARGUMENT_BYTES_MAX (UINT64_C(8) << 20)
/* More than the first frames of a C library without call frame information take (musl: 56). */
#define FIRST_FRAME_BYTES 128
/* The least page that Linux has on the architectures known here. */
#define PAGE_BYTES 4096
/* No user address on the architectures known here is longer than 48 bits. */
#define USER_ADDRESS_MAX ((UINT64_C(1) << 48) - 1)

/*
 * The kernel copies without waiting for pages (copy_from_user_inatomic): a copy ends early, or has
 * nothing, where a large frame has a page that nobody has touched yet.
 */
static bool is_behind_absent_page(const struct walk *walk, uint64_t address)
{
    size_t bytes = walk->sample->stack_bytes;
    uint64_t end = walk->stack_start + bytes;
    return !walk->sample->stack_cut && (bytes == 0 || end % PAGE_BYTES == 0) && address >= end &&
           address - end < STACK_BYTES_MAX;
}

bool walk_read(struct walk *walk, uint64_t address, uint64_t *ret_value)
{
    uint64_t offset = address - walk->stack_start;
    size_t bytes = walk->sample->stack_bytes;
    if (address < walk->stack_start || bytes < sizeof *ret_value ||
        offset > bytes - sizeof *ret_value) {
        walk->ran_out |= address >= walk->stack_start && walk->sample->stack_cut;
        walk->absent |= is_behind_absent_page(walk, address);
        walk->missed = address;
        walk->link->is_unknown = true;
        return false;
    }
    memcpy(ret_value, walk->sample->stack + offset, sizeof *ret_value);
    chain_link_read(walk->link, address, *ret_value);
    return true;
}

/* The caller's frame: only ip, sp and fp are followed from frame to frame. */
static enum step enter_caller(struct walk *walk, uint64_t ip, uint64_t sp, uint64_t fp,
                              bool fp_known)
{
    const struct architecture *architecture = walk->architecture;
    ip &= walk->code_mask;
    if (ip == 0)
        return STEP_ROOT;
    walk->ip = ip;
    walk->registers.valid = fp_known ? walk->with_fp : walk->without_fp;
    walk->registers.values[architecture->ip] = ip;
    walk->registers.values[architecture->sp] = sp;
    walk->registers.values[architecture->fp] = fp;
    return STEP_CALLER;
}

/* A stack grows downwards: a caller's frame that is not above this one would loop for ever. */
static bool moves_up(const struct walk *walk, uint64_t cfa)
{
    uint64_t sp = walk->registers.values[walk->architecture->sp];
    return walk->is_return_address ? cfa > sp : cfa >= sp;
}

/* What is there when a program begins: no frame, but what it is given (execve(2)). */
static bool is_argument(const struct walk *walk, uint64_t address)
{
    uint64_t initial_sp = walk->space->initial_sp;
    return initial_sp && address - initial_sp < ARGUMENT_BYTES_MAX;
}

/*
 * Nobody called a program's first function. Written in C (-e, nolibc), it has call frame
 * information as if somebody had: what it would return to is the number of arguments.
 */
static bool is_called_by_kernel(const struct walk *walk, uint64_t cfa)
{
    return is_argument(walk, cfa - 8);
}

/* The same for a function that keeps a frame pointer: it was pushed right below the arguments. */
static bool is_first_record(const struct walk *walk, uint64_t fp)
{
    return walk->space->initial_sp && fp == walk->space->initial_sp - 8;
}

/*
 * A callee without call frame information does not tell where the caller's stack begins. The frame
 * pointer does, where the rule places the pair that it points at (AAPCS64 §6.4.6: frame record).
 */
static bool cfa_by_record(const struct walk *walk, const struct cfi_rule *rule, uint64_t *ret_cfa)
{
    const struct architecture *architecture = walk->architecture;
    uint64_t fp = walk->registers.values[architecture->fp];
    if (rule->cfa_register != architecture->sp || !rule->fp_saved || rule->return_in_lr ||
        rule->return_offset != rule->fp_offset + 8 ||
        !registers_have(&walk->registers, architecture->fp) ||
        fp < walk->registers.values[architecture->sp])
        return false;
    *ret_cfa = fp - (uint64_t)(int64_t)rule->fp_offset;
    return true;
}

static bool find_cfa(struct walk *walk, const struct cfi_rule *rule, uint64_t *ret_cfa)
{
    unsigned number = rule->cfa_register;
    uint64_t value = walk->registers.values[number];
    if (!registers_have(&walk->registers, number)) {
        if (cfa_by_record(walk, rule, ret_cfa))
            return true;
        if (!saved_register_since_leaf(walk, number, &value))
            return false;
    }
    *ret_cfa = value + (uint64_t)(int64_t)rule->cfa_offset;
    return true;
}

/*
 * The first frame on a stack has its stack pointer at the stack's end, where a page ends. If that
 * frame is found by another register, it is a switch from another stack, and that one was not
 * copied: __morestack of -fsplit-stack (libgcc's morestack.S), and some coroutines. One that ends
 * in the next page is an ordinary frame that happens to begin with a page.
 */
static enum step fail_by_rule(struct walk *walk, const struct cfi_rule *rule, uint64_t cfa)
{
    const struct architecture *architecture = walk->architecture;
    uint64_t sp = walk->registers.values[architecture->sp];
    walk->other_stack |= walk->is_return_address && rule->cfa_register != architecture->sp &&
                         registers_have(&walk->registers, architecture->sp) &&
                         sp % PAGE_BYTES == 0 && cfa - sp > PAGE_BYTES;
    return STEP_FAILED;
}

/* The frame pointer stays behind, where the frame saved the caller's. */
static bool has_left_stack(const struct walk *walk, const struct cfi_rule *rule, uint64_t cfa)
{
    unsigned fp = walk->architecture->fp;
    return walk->is_return_address ||
           (rule->fp_saved && registers_have(&walk->registers, fp) &&
            walk->registers.values[fp] != cfa + (uint64_t)(int64_t)rule->fp_offset);
}

enum step walk_step_by_rule(struct walk *walk, const struct cfi_rule *rule)
{
    const struct architecture *architecture = walk->architecture;
    uint64_t cfa = 0;
    if (!find_cfa(walk, rule, &cfa))
        return STEP_NO_CFI;
    if (rule->switches_stack && has_left_stack(walk, rule, cfa)) {
        walk->other_stack = true;
        return STEP_FAILED;
    }
    if (!moves_up(walk, cfa))
        return fail_by_rule(walk, rule, cfa);
    if (is_called_by_kernel(walk, cfa))
        return STEP_ROOT;

    uint64_t ip = 0, fp = walk->registers.values[architecture->fp];
    bool fp_known = registers_have(&walk->registers, architecture->fp);
    if (rule->return_in_lr) {
        if (!registers_have(&walk->registers, architecture->lr))
            return STEP_FAILED; /* it has been used for a call since */
        ip = walk->registers.values[architecture->lr];
    } else if (!walk_read(walk, cfa + (uint64_t)(int64_t)rule->return_offset, &ip)) {
        return fail_by_rule(walk, rule, cfa);
    }
    /*
     * An epilogue pops the frame pointer without saying so (GCC leaves its rule in place): a slot
     * below the stack pointer is free again, and the register holds the caller's value.
     */
    uint64_t fp_slot = cfa + (uint64_t)(int64_t)rule->fp_offset;
    if (rule->fp_saved && fp_slot >= walk->registers.values[architecture->sp]) {
        if (!walk_read(walk, fp_slot, &fp))
            return STEP_FAILED;
        fp_known = true;
    }
    return enter_caller(walk, ip, cfa, fp, fp_known);
}

/* Too far from the copy to be of the same stack. */
static bool is_on_other_stack(const struct walk *walk, uint64_t sp)
{
    return sp < walk->stack_start || sp - walk->stack_start > STACK_BYTES_MAX;
}

/* An address that a stack of another place may have, and no data that was taken for one. */
static bool leads_to_other_stack(const struct walk *walk, uint64_t sp)
{
    return sp % 8 == 0 && sp >= PAGE_BYTES && sp <= USER_ADDRESS_MAX && is_on_other_stack(walk, sp);
}

/*
 * A handler with a stack of its own (sigaltstack(2)): what it interrupted is on another one,
 * however near. The kernel's frame says where such a stack is (struct ucontext, uc_stack).
 */
static bool has_interrupted_other_stack(struct walk *walk, uint64_t frame, uint64_t sp)
{
    const uint64_t at = frame + walk->architecture->trampoline.stack;
    uint64_t start = 0, bytes = 0;
    if (is_on_other_stack(walk, sp))
        return true;
    return sp - walk->stack_start >= walk->sample->stack_bytes && walk_read(walk, at, &start) &&
           walk_read(walk, at + 16, &bytes) && frame - start < bytes && sp - start >= bytes;
}

/* A frame that begins a new stack tells where on the old one its caller's is: SBCL's, for one. */
static enum step fail_by_expression(struct walk *walk)
{
    walk->other_stack |= leads_to_other_stack(walk, walk->missed);
    return STEP_FAILED;
}

/* The rare frames that need expressions: PLT entries, signal frames, realigned stacks. */
static enum step step_by_expression(struct walk *walk, const struct module *module, uint64_t vaddr)
{
    _cleanup_free_ Dwarf_Frame *frame = cfi_frame(walk->cfi, module, vaddr);
    bool is_signal_frame = false;
    uint64_t cfa = 0, ip = 0, sp = 0, fp = 0;
    if (!frame)
        return STEP_NO_CFI;
    int return_column = dwarf_frame_info(frame, NULL, NULL, &is_signal_frame);
    walk->missed = 0;
    if (return_column < 0 || !saved_register_cfa(walk, frame, &cfa))
        return fail_by_expression(walk);
    if (!is_signal_frame && is_called_by_kernel(walk, cfa))
        return STEP_ROOT;
    if (!saved_register(walk, frame, (unsigned)return_column, cfa, &ip))
        return fail_by_expression(walk);
    if (!saved_register(walk, frame, walk->architecture->sp, cfa, &sp))
        sp = cfa;
    /* A handler on an alternate stack interrupts a frame that may lie anywhere. */
    if (!is_signal_frame && !moves_up(walk, sp))
        return STEP_FAILED;
    walk->other_stack |=
        is_signal_frame &&
        has_interrupted_other_stack(walk, walk->registers.values[walk->architecture->sp], sp);
    bool fp_known = saved_register(walk, frame, walk->architecture->fp, cfa, &fp);
    return enter_caller(walk, ip, sp, fp, fp_known);
}

/* Back to what a signal interrupted, whose registers the kernel left on the stack. */
static enum step step_by_trampoline(struct walk *walk)
{
    const struct architecture *architecture = walk->architecture;
    const struct signal_trampoline *at = &architecture->trampoline;
    uint64_t frame = walk->registers.values[architecture->sp], ip = 0, sp = 0, fp = 0, lr = 0;
    if (!registers_have(&walk->registers, architecture->sp))
        return STEP_NO_CFI;
    if (!walk_read(walk, frame + at->ip, &ip) || !walk_read(walk, frame + at->sp, &sp) ||
        !walk_read(walk, frame + at->fp, &fp) || (at->lr && !walk_read(walk, frame + at->lr, &lr)))
        return STEP_FAILED;
    walk->other_stack |= has_interrupted_other_stack(walk, frame, sp);
    enum step step = enter_caller(walk, ip, sp, fp, true);
    if (step == STEP_CALLER && at->lr) {
        walk->registers.values[architecture->lr] = lr;
        walk->registers.valid |= register_bit(architecture->lr);
    }
    return step;
}

static enum step step_by_link_register(struct walk *walk)
{
    const struct architecture *architecture = walk->architecture;
    enum step step = enter_caller(walk, walk->registers.values[architecture->lr],
                                  walk->registers.values[architecture->sp],
                                  walk->registers.values[architecture->fp],
                                  registers_have(&walk->registers, architecture->fp));
    walk->registers.valid &= ~register_bit(architecture->sp);
    return step;
}

/*
 * A chain of frame pointers that leads off the stack: code switched to it from another one, as Go's
 * runtime does for its own work (runtime.systemstack, runtime.morestack).
 */
static bool leaves_stack(const struct walk *walk, uint64_t fp)
{
    return walk->by_frame_pointer && leads_to_other_stack(walk, fp);
}

/* Without call frame information: the frame pointer chain, if there seems to be one. */
static enum step step_by_frame_pointer(struct walk *walk, const struct module *module)
{
    const struct architecture *architecture = walk->architecture;
    uint64_t sp = walk->registers.values[architecture->sp];
    uint64_t fp = walk->registers.values[architecture->fp];
    bool fp_known = registers_have(&walk->registers, architecture->fp);
    if (fp_known && fp == 0 && walk->by_frame_pointer)
        return STEP_ROOT; /* psABI: the outermost frame's saved frame pointer is zero */
    if (fp_known && walk->is_return_address && is_first_record(walk, fp))
        return STEP_ROOT;
    uint64_t caller_fp = 0, ip = 0, vaddr = 0;
    bool is_record = fp_known && fp >= sp && fp % 8 == 0 && walk_read(walk, fp, &caller_fp) &&
                     walk_read(walk, fp + 8, &ip);
    ip &= walk->code_mask;
    if (leaf_returns_to_link_register(walk, ip))
        return step_by_link_register(walk);
    if (!is_record && fp_known && leaves_stack(walk, fp)) {
        walk->other_stack = true;
        return STEP_FAILED;
    }
    if (!is_record)
        return fp_known && walk->ran_out ? STEP_FAILED : STEP_NO_CFI;
    uint64_t slot = 0, owner = 0;
    if (leaf_finds_owner_of_record(walk, module, &slot, &owner))
        return enter_caller(walk, owner, slot + 8, fp, true);
    if (ip == 0 && !walk->by_frame_pointer)
        return STEP_NO_CFI; /* a register that holds data, not the end of a chain */
    if (ip != 0 && !walk->space->find(walk->space->user, ip - 1, &vaddr))
        return STEP_NO_CFI;
    enum step step = enter_caller(walk, ip, fp + 16, caller_fp, true);
    if (!architecture->record_ends_frame)
        walk->registers.valid &= ~register_bit(architecture->sp);
    if (step == STEP_CALLER && !walk->is_return_address && !leaf_guess_leads_on(walk))
        return STEP_NO_CFI;
    return step;
}

/*
 * The code at an ELF file's entry is what the kernel started; that of the dynamic linker has no
 * call frame information (glibc's RTLD_START), and no caller either.
 */
#define ENTRY_CODE_BYTES 128

static bool is_entry(const struct module *module, uint64_t vaddr)
{
    return module->entry && vaddr - module->entry < ENTRY_CODE_BYTES;
}

/*
 * Nothing is called from right before a function. Where one begins at a return address, it was put
 * there for what runs on a new stack to return to: glibc's __start_context, by makecontext(3).
 */
static bool begins_stack(const struct walk *walk, const struct module *module, uint64_t vaddr)
{
    return walk->is_return_address && module->kind != MODULE_ANONYMOUS &&
           cfi_cache_find(walk->cfi, module, vaddr + 1).kind != CFI_NONE;
}

/*
 * What a C library begins a program with may have no call frame information: musl has none at all.
 * It is known by its place: between it and the arguments there is room for a few registers, not for
 * callers that anybody asks for.
 */
static bool is_first_frame(const struct walk *walk)
{
    const struct architecture *architecture = walk->architecture;
    uint64_t sp = walk->registers.values[architecture->sp];
    return walk->is_return_address && registers_have(&walk->registers, architecture->sp) &&
           (is_argument(walk, sp) || is_argument(walk, sp + FIRST_FRAME_BYTES));
}

static enum step step_without_cfi(struct walk *walk, const struct module *module, uint64_t vaddr)
{
    if (is_entry(module, vaddr))
        return STEP_ROOT;
    if (begins_stack(walk, module, vaddr))
        return STEP_STACK_BEGIN;
    bool is_first = is_first_frame(walk);
    enum step step = step_by_frame_pointer(walk, module);
    return step != STEP_CALLER && is_first ? STEP_ROOT : step;
}

enum step walk_step(struct walk *walk, const struct module *module, uint64_t vaddr)
{
    struct cfi_rule rule = {.kind = CFI_NONE};
    if (module->kind != MODULE_ANONYMOUS)
        rule = cfi_cache_find(walk->cfi, module, vaddr);
    if (rule.kind == CFI_NONE && leaf_has_no_frame(walk, module, vaddr))
        rule = leaf_start_rule(walk->architecture);
    enum step step;
    switch (rule.kind) {
    case CFI_ROOT:
        return STEP_ROOT;
    case CFI_RULE:
        step = walk_step_by_rule(walk, &rule);
        break;
    case CFI_SIGNAL:
        step = step_by_trampoline(walk);
        break;
    case CFI_EXPRESSION:
        step = step_by_expression(walk, module, vaddr);
        break;
    default:
        step = step_without_cfi(walk, module, vaddr);
        break;
    }
    walk->by_frame_pointer = rule.kind == CFI_NONE;
    walk->is_return_address = !rule.is_signal_frame;
    return step;
}
