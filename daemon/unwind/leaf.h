/* Leaves that say nothing about their frames: hand-written assembly, most of all. */
#pragma once

#include "unwind/walk.h"

/*
 * True when the leaf at `vaddr` of its module has just been called or has no frame at all, as far
 * as that can be told: what it returns to is on top of the stack, or in the link register.
 */
bool leaf_has_no_frame(struct walk *walk, const struct module *module, uint64_t vaddr);

/* The rule of a function's begin: nothing has been pushed but the return address. */
struct cfi_rule leaf_start_rule(const struct architecture *architecture);

/*
 * A leaf may have no frame, and then the frame pointer is its caller's. It does when the link
 * register still is what it returns to: an address in the leaf itself, left there by a call, would
 * have no call frame information either. A frame that holds the same address is the leaf's own.
 */
bool leaf_returns_to_link_register(const struct walk *walk, uint64_t saved_ip);

/*
 * Code that was compiled at run time may have no frame record, and then the frame pointer is its
 * caller's: following it would skip that one. True when the caller is in sight: a return address
 * between stack pointer and record, after a call by a pointer, in code that made the record.
 * *ret_slot is where it lies, *ret_ip what it is.
 */
bool leaf_finds_owner_of_record(struct walk *walk, const struct module *module, uint64_t *ret_slot,
                                uint64_t *ret_ip);

/*
 * Whether the frame that a guess has led to can be left, where call frame information says how: a
 * stale address, or one that is data, leads nowhere.
 */
bool leaf_guess_leads_on(const struct walk *walk);
