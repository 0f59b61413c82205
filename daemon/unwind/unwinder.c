/* The unwinder: a pure function of registers, address space and stack bytes. */
#include "unwind/unwinder.h"

#include <elfutils/libdw.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "unwind/cfi.h"
#include "unwind/chain.h"
#include "unwind/expression.h"

struct unwinder {
    const struct architecture *architecture; /* borrowed */
    uint64_t code_mask;
    struct cfi_cache *cfi;      /* owned */
    struct chain_cache *chains; /* owned */
    struct chain_link *links;   /* owned: those of the walk, and room for one more */
};

/* One walk up one stack. */
struct walk {
    const struct sample *sample;
    const struct unwind_space *space;
    const struct architecture *architecture;
    uint64_t code_mask;           /* the bits of a return address that are address */
    uint64_t with_fp, without_fp; /* what is known of a caller, as registers.valid */
    struct cfi_cache *cfi;
    struct registers registers; /* of the frame that the walk has reached; where only a lower bound
                                   of the stack pointer is known, its value is that, not valid */
    uint64_t ip;                /* as in registers */
    uint64_t stack_start;       /* address of the first byte of the copy */
    bool is_return_address;     /* the ip follows a call */
    bool ran_out;               /* memory beyond a copy that was cut was asked for */
    bool absent;                /* memory behind a page that was not in memory was asked for */
    bool other_stack;           /* a frame led to a stack that is not in the copy */
    bool by_frame_pointer;      /* the last step followed the frame pointer chain */
    struct chain *chain;        /* the thread's last stack; NULL when that may not be used */
    struct chain_link *link;    /* where the walk is */
};

/* What one step up the stack came to. */
enum step { STEP_CALLER, STEP_ROOT, STEP_FAILED, STEP_NO_CFI };

int unwinder_new(const struct architecture *architecture, struct unwinder **ret_unwinder)
{
    struct unwinder *unwinder = calloc(1, sizeof *unwinder);
    if (!unwinder)
        return -ENOMEM;
    unwinder->architecture = architecture;
    unwinder->code_mask = architecture_code_mask(architecture);
    unwinder->links = calloc(STACK_FRAMES_MAX + 1, sizeof *unwinder->links);
    int error = unwinder->links ? cfi_cache_new(architecture, &unwinder->cfi) : -ENOMEM;
    if (!error)
        error = chain_cache_new(&unwinder->chains);
    if (error) {
        unwinder_free(unwinder);
        return error;
    }
    *ret_unwinder = unwinder;
    return 0;
}

void unwinder_free(struct unwinder *unwinder)
{
    if (!unwinder)
        return;
    chain_cache_free(unwinder->chains);
    cfi_cache_free(unwinder->cfi);
    free(unwinder->links);
    free(unwinder);
}

/* How far apart frames of one stack may be: eight times what threads get by default. */
#define STACK_BYTES_MAX (UINT64_C(64) << 20)
/* The least page that Linux has on the architectures known here. */
#define PAGE_BYTES 4096
/* No user address on the architectures known here is longer than 48 bits. */
#define USER_ADDRESS_MAX ((UINT64_C(1) << 48) - 1)

/*
 * The kernel copies without waiting for pages (copy_from_user_inatomic): a copy ends early where a
 * large frame has a page that nobody has touched yet.
 */
static bool is_behind_absent_page(const struct walk *walk, uint64_t address)
{
    uint64_t end = walk->stack_start + walk->sample->stack_bytes;
    return !walk->sample->stack_cut && walk->sample->stack_bytes > 0 && end % PAGE_BYTES == 0 &&
           address >= end && address - end < STACK_BYTES_MAX;
}

static bool read_stack(struct walk *walk, uint64_t address, uint64_t *ret_value)
{
    uint64_t offset = address - walk->stack_start;
    size_t bytes = walk->sample->stack_bytes;
    if (address < walk->stack_start || bytes < sizeof *ret_value ||
        offset > bytes - sizeof *ret_value) {
        walk->ran_out |= address >= walk->stack_start && walk->sample->stack_cut;
        walk->absent |= is_behind_absent_page(walk, address);
        walk->link->is_unknown = true;
        return false;
    }
    memcpy(ret_value, walk->sample->stack + offset, sizeof *ret_value);
    chain_link_read(walk->link, address, *ret_value);
    return true;
}

static bool read_for_expression(const void *user, uint64_t address, uint64_t *ret_value)
{
    return read_stack((struct walk *)user, address, ret_value);
}

static uint64_t bit(unsigned number)
{
    return UINT64_C(1) << number;
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

/*
 * The first frame on a stack has its stack pointer at the stack's end, where a page ends. If that
 * frame is found by another register, it is a switch from another stack, and that one was not
 * copied: __morestack of -fsplit-stack (libgcc's morestack.S), and some coroutines.
 */
static enum step fail_by_rule(struct walk *walk, const struct cfi_rule *rule)
{
    const struct architecture *architecture = walk->architecture;
    walk->other_stack |= walk->is_return_address && rule->cfa_register != architecture->sp &&
                         registers_have(&walk->registers, architecture->sp) &&
                         walk->registers.values[architecture->sp] % PAGE_BYTES == 0;
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

static enum step step_by_rule(struct walk *walk, const struct cfi_rule *rule)
{
    const struct architecture *architecture = walk->architecture;
    uint64_t cfa = walk->registers.values[rule->cfa_register] + (uint64_t)(int64_t)rule->cfa_offset;
    if (!registers_have(&walk->registers, rule->cfa_register) && !cfa_by_record(walk, rule, &cfa))
        return STEP_NO_CFI;
    if (rule->switches_stack && has_left_stack(walk, rule, cfa)) {
        walk->other_stack = true;
        return STEP_FAILED;
    }
    if (!moves_up(walk, cfa))
        return fail_by_rule(walk, rule);

    uint64_t ip = 0, fp = walk->registers.values[architecture->fp];
    bool fp_known = registers_have(&walk->registers, architecture->fp);
    if (rule->return_in_lr) {
        if (!registers_have(&walk->registers, architecture->lr))
            return STEP_FAILED; /* it has been used for a call since */
        ip = walk->registers.values[architecture->lr];
    } else if (!read_stack(walk, cfa + (uint64_t)(int64_t)rule->return_offset, &ip)) {
        return fail_by_rule(walk, rule);
    }
    /*
     * An epilogue pops the frame pointer without saying so (GCC leaves its rule in place): a slot
     * below the stack pointer is free again, and the register holds the caller's value.
     */
    uint64_t fp_slot = cfa + (uint64_t)(int64_t)rule->fp_offset;
    if (rule->fp_saved && fp_slot >= walk->registers.values[architecture->sp]) {
        if (!read_stack(walk, fp_slot, &fp))
            return STEP_FAILED;
        fp_known = true;
    }
    return enter_caller(walk, ip, cfa, fp, fp_known);
}

/* A register of the caller by whatever the frame says. False when it cannot be had. */
static bool recover(struct walk *walk, Dwarf_Frame *frame, int number, uint64_t cfa,
                    uint64_t *ret_value)
{
    Dwarf_Op memory[3], *ops = NULL;
    size_t count = 0;
    if (dwarf_frame_register(frame, number, memory, &ops, &count) < 0)
        return false;
    if (count == 0) {
        if (ops || !registers_have(&walk->registers, (unsigned)number))
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
        return read_stack(walk, value, ret_value);
    default:
        return false;
    }
}

/* A handler with a stack of its own (sigaltstack(2)): what it interrupted is on another one. */
static bool is_on_other_stack(const struct walk *walk, uint64_t sp)
{
    return sp < walk->stack_start || sp - walk->stack_start > STACK_BYTES_MAX;
}

/* The rare frames that need expressions: PLT entries, signal frames, realigned stacks. */
static enum step step_by_expression(struct walk *walk, const struct module *module, uint64_t vaddr)
{
    _cleanup_free_ Dwarf_Frame *frame = cfi_frame(walk->cfi, module, vaddr);
    Dwarf_Op *ops = NULL;
    size_t count = 0;
    bool is_signal_frame = false;
    if (!frame || dwarf_frame_cfa(frame, &ops, &count) < 0)
        return STEP_NO_CFI;
    int return_column = dwarf_frame_info(frame, NULL, NULL, &is_signal_frame);
    struct expression_input input = {&walk->registers, 0, read_for_expression, walk};
    uint64_t cfa = 0, ip = 0, sp = 0, fp = 0;
    if (return_column < 0 || expression_evaluate(ops, count, &input, &cfa) == EXPRESSION_FAILED ||
        !recover(walk, frame, return_column, cfa, &ip))
        return STEP_FAILED;
    if (!recover(walk, frame, (int)walk->architecture->sp, cfa, &sp))
        sp = cfa;
    /* A handler on an alternate stack interrupts a frame that may lie anywhere. */
    if (!is_signal_frame && !moves_up(walk, sp))
        return STEP_FAILED;
    walk->other_stack |= is_signal_frame && is_on_other_stack(walk, sp);
    bool fp_known = recover(walk, frame, (int)walk->architecture->fp, cfa, &fp);
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
    if (!read_stack(walk, frame + at->ip, &ip) || !read_stack(walk, frame + at->sp, &sp) ||
        !read_stack(walk, frame + at->fp, &fp) ||
        (at->lr && !read_stack(walk, frame + at->lr, &lr)))
        return STEP_FAILED;
    walk->other_stack |= is_on_other_stack(walk, sp);
    enum step step = enter_caller(walk, ip, sp, fp, true);
    if (step == STEP_CALLER && at->lr) {
        walk->registers.values[architecture->lr] = lr;
        walk->registers.valid |= bit(architecture->lr);
    }
    return step;
}

/*
 * A leaf may have no frame, and then the frame pointer is its caller's. It does when the link
 * register still is what it returns to: an address in the leaf itself, left there by a call, would
 * have no call frame information either. A frame that holds the same address is the leaf's own.
 */
static bool returns_to_link_register(struct walk *walk, uint64_t saved_ip)
{
    const struct architecture *architecture = walk->architecture;
    if (walk->is_return_address || !registers_have(&walk->registers, architecture->lr))
        return false;
    uint64_t vaddr = 0, ip = walk->registers.values[architecture->lr] & walk->code_mask;
    if (ip == saved_ip)
        return false;
    const struct module *module = walk->space->find(walk->space->user, ip - 1, &vaddr);
    return module && module->kind != MODULE_ANONYMOUS &&
           cfi_cache_find(walk->cfi, module, vaddr).kind != CFI_NONE;
}

static enum step step_by_link_register(struct walk *walk)
{
    const struct architecture *architecture = walk->architecture;
    enum step step = enter_caller(walk, walk->registers.values[architecture->lr],
                                  walk->registers.values[architecture->sp],
                                  walk->registers.values[architecture->fp],
                                  registers_have(&walk->registers, architecture->fp));
    walk->registers.valid &= ~bit(architecture->sp);
    return step;
}

/*
 * A chain of frame pointers that leads off the stack: code switched to it from another one, as Go's
 * runtime does for its own work (runtime.systemstack, runtime.morestack).
 */
static bool leaves_stack(const struct walk *walk, uint64_t fp)
{
    return walk->by_frame_pointer && fp % 8 == 0 && fp >= PAGE_BYTES && fp <= USER_ADDRESS_MAX &&
           is_on_other_stack(walk, fp);
}

/* Without call frame information: the frame pointer chain, if there seems to be one. */
static enum step step_by_frame_pointer(struct walk *walk)
{
    const struct architecture *architecture = walk->architecture;
    uint64_t sp = walk->registers.values[architecture->sp];
    uint64_t fp = walk->registers.values[architecture->fp];
    bool fp_known = registers_have(&walk->registers, architecture->fp);
    if (fp_known && fp == 0 && walk->by_frame_pointer)
        return STEP_ROOT; /* psABI: the outermost frame's saved frame pointer is zero */
    uint64_t caller_fp = 0, ip = 0, vaddr = 0;
    bool is_record = fp_known && fp >= sp && fp % 8 == 0 && read_stack(walk, fp, &caller_fp) &&
                     read_stack(walk, fp + 8, &ip);
    ip &= walk->code_mask;
    if (returns_to_link_register(walk, ip))
        return step_by_link_register(walk);
    if (!is_record && fp_known && leaves_stack(walk, fp)) {
        walk->other_stack = true;
        return STEP_FAILED;
    }
    if (!is_record)
        return fp_known && walk->ran_out ? STEP_FAILED : STEP_NO_CFI;
    if (ip == 0 && !walk->by_frame_pointer)
        return STEP_NO_CFI; /* a register that holds data, not the end of a chain */
    if (ip != 0 && !walk->space->find(walk->space->user, ip - 1, &vaddr))
        return STEP_NO_CFI;
    enum step step = enter_caller(walk, ip, fp + 16, caller_fp, true);
    if (!architecture->record_ends_frame)
        walk->registers.valid &= ~bit(architecture->sp);
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

static enum step step_up(struct walk *walk, const struct module *module, uint64_t vaddr)
{
    struct cfi_rule rule = {.kind = CFI_NONE};
    if (module->kind != MODULE_ANONYMOUS)
        rule = cfi_cache_find(walk->cfi, module, vaddr);
    enum step step;
    switch (rule.kind) {
    case CFI_ROOT:
        return STEP_ROOT;
    case CFI_RULE:
        step = step_by_rule(walk, &rule);
        break;
    case CFI_SIGNAL:
        step = step_by_trampoline(walk);
        break;
    case CFI_EXPRESSION:
        step = step_by_expression(walk, module, vaddr);
        break;
    default:
        if (is_entry(module, vaddr))
            return STEP_ROOT;
        step = step_by_frame_pointer(walk);
        break;
    }
    walk->by_frame_pointer = rule.kind == CFI_NONE;
    walk->is_return_address = !rule.is_signal_frame;
    return step;
}

static bool push(struct raw_stack *stack, uint32_t module, uint64_t vaddr, bool is_return_address)
{
    if (stack->count == STACK_FRAMES_MAX)
        return false;
    stack->frames[stack->count++] = (struct raw_frame){module, is_return_address, vaddr};
    return true;
}

/* All that decides how the walk goes on from here. */
static void note_link(struct walk *walk, struct chain_link *link)
{
    const struct architecture *architecture = walk->architecture;
    link->valid = walk->registers.valid;
    link->ip = walk->ip;
    link->sp = walk->registers.values[architecture->sp];
    link->fp = walk->registers.values[architecture->fp];
    link->frame.is_return_address = walk->is_return_address;
    link->by_frame_pointer = walk->by_frame_pointer;
    /* Only the registers that are followed from frame to frame are noted. */
    link->is_unknown = link->valid & ~walk->with_fp;
    link->read_count = 0;
    walk->link = link;
}

/* Takes the rest of the stack, from the walk's link on, from the last one of this thread. */
static bool join_chain(struct walk *walk, size_t *position, struct raw_stack *stack)
{
    const struct chain *chain = walk->chain;
    if (!chain || walk->link->is_unknown ||
        !chain_find(chain, walk->link, walk->stack_start, walk->sample, position) ||
        chain->count - *position > STACK_FRAMES_MAX - stack->count)
        return false;
    for (size_t i = *position; i < chain->count; i++) {
        stack->frames[stack->count++] = chain->links[i].frame;
        stack->by_frame_pointer |= chain->links[i].by_frame_pointer;
    }
    return true;
}

static enum stack_end fail(const struct walk *walk)
{
    return walk->other_stack ? STACK_END_OTHER_STACK
           : walk->ran_out   ? STACK_END_TRUNCATED
           : walk->absent    ? STACK_END_NOT_PRESENT
                             : STACK_END_BAD_MEMORY;
}

static enum stack_end walk_user(struct walk *walk, struct chain_link *links,
                                struct raw_stack *stack)
{
    size_t position = 0;
    for (size_t count = 0;; count++) {
        note_link(walk, &links[count]);
        stack->by_frame_pointer |= walk->by_frame_pointer;
        if (join_chain(walk, &position, stack)) {
            chain_replace(walk->chain, position, links, count);
            return STACK_END_ROOT;
        }
        uint64_t ip = walk->ip;
        unsigned back = walk->is_return_address;
        uint64_t vaddr = 0;
        const struct module *module = walk->space->find(walk->space->user, ip - back, &vaddr);
        if (!module)
            return STACK_END_UNMAPPED;
        if (!push(stack, module->id, vaddr + back, walk->is_return_address))
            return STACK_END_TOO_DEEP;
        links[count].frame = stack->frames[stack->count - 1];
        switch (step_up(walk, module, vaddr)) {
        case STEP_CALLER:
            break;
        case STEP_ROOT:
            if (walk->chain)
                chain_replace(walk->chain, walk->chain->count, links, count + 1);
            return STACK_END_ROOT;
        case STEP_NO_CFI:
            return STACK_END_NO_CFI;
        case STEP_FAILED:
            return fail(walk);
        }
    }
}

static void push_kernel(const struct sample *sample, const struct module *kernel,
                        struct raw_stack *stack)
{
    for (size_t i = 0; i < sample->kernel_ip_count; i++)
        push(stack, kernel->id, sample->kernel_ips[i], i > 0);
}

void unwinder_run(struct unwinder *unwinder, const struct sample *sample,
                  const struct unwind_space *space, struct raw_stack *ret_stack)
{
    const struct architecture *architecture = unwinder->architecture;
    struct raw_stack *stack = ret_stack;
    stack->count = 0;
    stack->by_frame_pointer = false;
    push_kernel(sample, space->kernel, stack);

    struct walk walk = {
        .sample = sample,
        .space = space,
        .architecture = architecture,
        .with_fp = bit(architecture->ip) | bit(architecture->sp) | bit(architecture->fp),
        .without_fp = bit(architecture->ip) | bit(architecture->sp),
        .ip = sample->registers.values[architecture->ip],
        .code_mask = unwinder->code_mask,
        .cfi = unwinder->cfi,
        .registers = sample->registers,
        .stack_start = sample->registers.values[architecture->sp],
    };
    if (space->generation)
        walk.chain = chain_cache_get(unwinder->chains, sample->tid, space->generation);
    stack->end = sample->has_user ? walk_user(&walk, unwinder->links, stack) : STACK_END_NO_USER;
    if (stack->end != STACK_END_ROOT)
        stack->frames[stack->count++] = (struct raw_frame){.vaddr = stack->end};
}
