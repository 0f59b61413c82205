/*
 * Every kind of frame that code for aarch64 has. `record` runs it under qemu-user and stops it at
 * each instruction. It has no C library, so that it stays small.
 */
/* Of asm-generic/signal.h and asm-generic/unistd.h. */
#define SIGSEGV 11
#define SA_SIGINFO 4
#define SA_RESTORER 0x04000000
#define SYS_exit 93
#define SYS_rt_sigaction 134

#define OPAQUE __attribute__((noinline, noclone, used))

volatile unsigned sink;

/* Called by the assembly below. */
unsigned callee(unsigned value);
unsigned bare_leaf(unsigned value);
unsigned spilling_leaf(unsigned value);
unsigned framed(unsigned value);

/* No frame: the return address is in x30 alone. */
OPAQUE unsigned leaf(unsigned value)
{
    return value * 3 + sink;
}

/* A frame whose size is known. */
OPAQUE unsigned callee(unsigned value)
{
    volatile unsigned kept[8];
    kept[value % 8] = leaf(value);
    return kept[value % 8] + bare_leaf(value);
}

/* A frame whose size is not: the CFA is x29 plus something. */
OPAQUE unsigned variable(unsigned count)
{
    unsigned char *memory = __builtin_alloca(count);
    __asm__ volatile("" : : "r"(memory) : "memory");
    return memory[0] + spilling_leaf(count);
}

/* What the C libraries of musl have, and the vdso: no call frame information. */
__asm__(".text\n"
        ".balign 16\n"
        "nop\n"
        ".type restorer, @function\n"
        "restorer: mov x8, #139\n"
        "svc #0\n"
        ".size restorer, . - restorer\n"

        /* A leaf without frame. */
        ".globl bare_leaf\n"
        ".type bare_leaf, @function\n"
        "bare_leaf: add w0, w0, #1\n"
        "ret\n"
        ".size bare_leaf, . - bare_leaf\n"

        /* A leaf that has room on the stack, but no frame record. */
        ".globl spilling_leaf\n"
        ".type spilling_leaf, @function\n"
        "spilling_leaf: sub sp, sp, #16\n"
        "str x0, [sp]\n"
        "ldr x0, [sp], #16\n"
        "ret\n"
        ".size spilling_leaf, . - spilling_leaf\n"

        /* A frame record, and calls: what just-in-time compilers make. */
        ".globl framed\n"
        ".type framed, @function\n"
        "framed: stp x29, x30, [sp, #-48]!\n"
        "mov x29, sp\n"
        "bl callee\n"
        "add w0, w0, #1\n"
        "ldp x29, x30, [sp], #48\n"
        "ret\n"
        ".size framed, . - framed\n"

        ".globl _start\n"
        ".type _start, @function\n"
        "_start: .cfi_startproc\n"
        ".cfi_undefined x30\n"
        "mov x29, #0\n"
        "mov x30, #0\n"
        "adr x0, stack_end\n"
        "mov sp, x0\n"
        "bl start\n"
        "brk #0\n"
        ".cfi_endproc\n"
        ".size _start, . - _start\n"

        ".bss\n"
        ".balign 16\n"
        ".skip 16384\n"
        ".globl stack_end\n"
        "stack_end:\n"
        ".text\n");

void restorer(void) __asm__("restorer");

static long call(long number, long a, long b, long c, long d)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}

/* struct sigaction of the kernel. */
struct action {
    void (*handler)(int, void *, char *);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

/* A leaf that a signal interrupts: it reads at address 0. */
unsigned interrupted(unsigned value);
__asm__(".text\n"
        ".globl interrupted\n"
        ".type interrupted, @function\n"
        "interrupted: .cfi_startproc\n"
        "mov x1, #0\n"
        "ldr w0, [x1]\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size interrupted, . - interrupted\n");

/* Goes on behind the instruction that raised it: pc is 440 bytes into struct ucontext. */
OPAQUE void on_fault(int number, void *information, char *context)
{
    (void)information;
    sink += leaf((unsigned)number);
    *(unsigned long *)(context + 440) += 4;
}

OPAQUE unsigned run(unsigned value)
{
    return variable(value) + framed(value) + interrupted(value);
}

void start(void);
void start(void)
{
    struct action action = {on_fault, SA_SIGINFO | SA_RESTORER, restorer, 0};
    call(SYS_rt_sigaction, SIGSEGV, (long)&action, 0, 8);
    sink = run(24);
    call(SYS_exit, 0, 0, 0, 0);
}
