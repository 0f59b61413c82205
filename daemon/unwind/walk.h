/* A walk up one stack, from frame to frame. */
#pragma once

#include "lprofd/sample.h"
#include "unwind/cfi.h"
#include "unwind/chain.h"
#include "unwind/unwinder.h"

/* What a register that is not followed from frame to frame was in the frame at a link. */
struct kept_register {
    const struct chain_link *link; /* NULL: not asked for yet */
    uint64_t value;
    bool is_known;
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
    uint64_t missed;            /* the last address that was asked for and is not in the copy */
    bool ran_out;               /* memory beyond a copy that was cut was asked for */
    bool absent;                /* memory behind a page that was not in memory was asked for */
    bool other_stack;           /* a frame led to a stack that is not in the copy */
    bool by_frame_pointer;      /* the last step followed the frame pointer chain */
    struct chain *chain;        /* the thread's last stack; NULL when that may not be used */
    const struct chain_link *leaf; /* where the walk began; those up to `link` follow it */
    struct chain_link *link;       /* where the walk is */
    struct kept_register kept[REGISTER_COUNT];
};

/* What one step up the stack came to. */
enum step {
    STEP_CALLER,
    STEP_ROOT,
    STEP_STACK_BEGIN, /* the root, too, and its address is not one after a call */
    STEP_FAILED,
    STEP_NO_CFI,
};

/* Its bit of registers.valid. */
static inline uint64_t register_bit(unsigned number)
{
    return UINT64_C(1) << number;
}

/*
 * Reads 8 bytes of the stack on the way out of the frame that the walk has reached. False when they
 * are not in the copy: *walk knows why.
 */
bool walk_read(struct walk *walk, uint64_t address, uint64_t *ret_value);

/* Leaves the frame by a rule of kind CFI_RULE. */
enum step walk_step_by_rule(struct walk *walk, const struct cfi_rule *rule);

/*
 * Goes from the frame at `vaddr` of its module (in a frame that has called, of the call) to its
 * caller's: STEP_CALLER with the registers of that one, or why there is none.
 */
enum step walk_step(struct walk *walk, const struct module *module, uint64_t vaddr);
