/* The unwinder: registers, address space and stack bytes in; raw stack out. No I/O, no symbols. */
#pragma once

#include "lprofd/architecture.h"
#include "lprofd/module.h"
#include "lprofd/sample.h"
#include "lprofd/stack.h"

/* How the unwinder asks what is mapped at an ip: the module and the vaddr in it, or NULL. */
struct unwind_space {
    const struct module *(*find)(void *user, uint64_t ip, uint64_t *ret_vaddr);
    void *user;
    const struct module *kernel; /* the module of kernel frames */
    /*
     * The stack pointer that the program began with: on the main thread's stack no frame lies at or
     * above it (System V psABI, "Process Initialization": its arguments do). 0: not known.
     */
    uint64_t initial_sp;
    /*
     * Of initial_sp and all answers of `find`, also those to come, among all spaces of an unwinder;
     * 0: unknown.
     */
    uint64_t generation;
};

struct unwinder;
/* For samples of `architecture`, which need not be this machine's; it is borrowed. */
int unwinder_new(const struct architecture *architecture, struct unwinder **ret_unwinder);
void unwinder_free(struct unwinder *unwinder);

/*
 * Fills *ret_stack, leaf first: kernel frames, then user frames by call frame information, with
 * frame pointers only where a module has none. It always succeeds: a stack that cannot be walked
 * to its root ends in the reason. O(frames).
 */
void unwinder_run(struct unwinder *unwinder, const struct sample *sample,
                  const struct unwind_space *space, struct raw_stack *ret_stack);
