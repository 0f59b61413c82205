/* Raw stacks: what the unwinder makes of a sample; module and vaddr, no symbols yet. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a stack ends where it ends. All but STACK_END_ROOT become the root-most raw frame. */
enum stack_end {
    STACK_END_ROOT,         /* the outermost frame of the thread was reached */
    STACK_END_TRUNCATED,    /* the copy of the stack was too short */
    STACK_END_NO_CFI,       /* a frame without unwind information and without frame pointer */
    STACK_END_BAD_MEMORY,   /* a rule led outside the stack: damaged stack or wrong unwind info */
    STACK_END_UNMAPPED,     /* an address outside every known mapping */
    STACK_END_TOO_DEEP,     /* more than STACK_FRAMES_MAX frames */
    STACK_END_NO_USER,      /* no 64-bit user registers: the kernel part is all there is */
    STACK_END_MEMORY_LIMIT, /* only the leaf was kept: the session's memory is used up */
    STACK_END_OTHER_STACK, /* it goes on on a stack that was not copied: by a signal, or a switch */
    STACK_END_NOT_PRESENT, /* the copy ends at a page that was not in memory */
    STACK_END_COUNT
};

/* "[truncated stack]" and so on: a name for people. */
const char *stack_end_name(enum stack_end end);

struct raw_frame {
    uint32_t module;        /* module id; 0: vaddr is an enum stack_end */
    bool is_return_address; /* look up vaddr - 1 */
    uint64_t vaddr;         /* ELF virtual address inside the module */
};

#define STACK_FRAMES_MAX 4096

/* Leaf first. When the stack did not end at its root, its last frame is the reason. */
struct raw_stack {
    size_t count;
    enum stack_end end;
    bool by_frame_pointer; /* some caller was found without unwind information */
    struct raw_frame frames[STACK_FRAMES_MAX + 1];
};
