/* The unwinder: a pure function of registers, address space and stack bytes. */
#include "unwind/unwinder.h"

#include <errno.h>
#include <stdlib.h>

#include "unwind/walk.h"

struct unwinder {
    const struct architecture *architecture; /* borrowed */
    uint64_t code_mask;
    struct cfi_cache *cfi;      /* owned */
    struct chain_cache *chains; /* owned */
    struct chain_link *links;   /* owned: those of the walk, and room for one more */
};

int unwinder_new(const struct architecture *architecture, struct unwinder **ret_unwinder)
{
    struct unwinder *unwinder = calloc(1, sizeof *unwinder);
    if (!unwinder)
        return -ENOMEM;
    unwinder->architecture = architecture;
    unwinder->code_mask = architecture_code_mask(architecture);
    unwinder->links = calloc(STACK_FRAMES_MAX + 1, sizeof *unwinder->links);
    int error =
        unwinder->links ? cfi_cache_new(architecture, CFI_BYTES_MAX, &unwinder->cfi) : -ENOMEM;
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
        switch (walk_step(walk, module, vaddr)) {
        case STEP_CALLER:
            break;
        case STEP_ROOT:
            if (walk->chain)
                chain_replace(walk->chain, walk->chain->count, links, count + 1);
            return STACK_END_ROOT;
        case STEP_STACK_BEGIN: /* not remembered: it was reached as something else than it is */
            stack->frames[stack->count - 1].is_return_address = false;
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
        .with_fp = register_bit(architecture->ip) | register_bit(architecture->sp) |
                   register_bit(architecture->fp),
        .without_fp = register_bit(architecture->ip) | register_bit(architecture->sp),
        .ip = sample->registers.values[architecture->ip],
        .code_mask = unwinder->code_mask,
        .cfi = unwinder->cfi,
        .registers = sample->registers,
        .stack_start = sample->registers.values[architecture->sp],
        .leaf = unwinder->links,
    };
    if (space->generation)
        walk.chain = chain_cache_get(unwinder->chains, sample->tid, space->generation);
    stack->end = sample->has_user ? walk_user(&walk, unwinder->links, stack) : STACK_END_NO_USER;
    if (stack->end != STACK_END_ROOT)
        stack->frames[stack->count++] = (struct raw_frame){.vaddr = stack->end};
}
