/* What lprofd has to know about a processor architecture: its registers and how code calls. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lprofd/sample.h"

#define REGISTER_NONE 0xff
#define REGISTER_ORDER_MAX 34

/* The DWARF numbers of registers in the order in which the kernel writes them, 64 bits each. */
struct register_order {
    uint8_t count;
    uint8_t numbers[REGISTER_ORDER_MAX]; /* REGISTER_NONE: a word that is of no interest */
};

/*
 * The code that a signal handler returns to, and where rt_sigreturn(2), which it calls, finds the
 * registers of what was interrupted: bytes from the stack pointer, by the kernel's struct
 * rt_sigframe. It is recognised by its bytes where it has no call frame information.
 */
struct signal_trampoline {
    uint8_t code[12];
    uint8_t code_bytes, second; /* its length, and where its second instruction begins */
    uint16_t fp, lr, sp, ip;    /* lr: 0 where there is no such register */
    uint16_t stack;             /* stack_t: the alternate stack, as the handler found it */
};

struct architecture {
    const char *name;       /* for people: "x86-64" */
    uint16_t elf_machine;   /* EM_X86_64, ... */
    uint8_t ip, sp, fp;     /* DWARF numbers */
    uint8_t lr;             /* the return address after a call; REGISTER_NONE: it is pushed */
    uint64_t kept_mask;     /* registers that a function keeps for its caller (callee-saved) */
    bool record_ends_frame; /* the caller's stack begins behind the pair that fp points at: saved
                               frame pointer and return address; else the pair lies anywhere */
    uint64_t perf_mask;     /* attr.sample_regs_user: these registers ... */
    struct register_order perf;   /* ... in the order of their bits: asm/perf_regs.h */
    struct register_order regset; /* PTRACE_GETREGSET, NT_PRSTATUS: struct user_regs_struct */
    struct signal_trampoline trampoline;
};

extern const struct architecture architecture_x86_64, architecture_aarch64;

/* The one that lprofd is built for and runs on. */
#if defined(__x86_64__)
#define architecture_own architecture_x86_64
#elif defined(__aarch64__)
#define architecture_own architecture_aarch64
#else
#error "lprofd does not know this architecture: daemon/base/architecture.c"
#endif

/* The one with this e_machine, or NULL. */
const struct architecture *architecture_of_machine(uint16_t elf_machine);

/* Takes registers out of order->count words of 64 bits, aligned or not. */
void registers_take(struct registers *registers, const struct register_order *order,
                    const void *words);

/*
 * The bits of a return address that are address. The others hold a signature where code signs them
 * (pointer authentication, Arm ARM D8.10): which they are is asked of this machine when it is one
 * of that architecture, otherwise it is what Linux has by default.
 */
uint64_t architecture_code_mask(const struct architecture *architecture);
