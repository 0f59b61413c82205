/*
 * Hand-written code without call frame information, called from C: one function keeps a frame
 * pointer, the other nothing at all and uses the frame pointer's register for data.
 */
#include "target.h"

void framed(uint64_t steps);
void bare(uint64_t steps);

#if defined(__x86_64__)
__asm__(".text\n"
        ".type framed, @function\n"
        "framed:\n"
        "    push %rbp\n"
        "    mov %rsp, %rbp\n"
        "    sub $64, %rsp\n"
        "1:  dec %rdi\n"
        "    jnz 1b\n"
        "    leave\n"
        "    ret\n"
        ".size framed, . - framed\n"
        ".type bare, @function\n"
        "bare:\n"
        "    push %rbp\n"
        "    push $0\n"
        "    push $0\n"
        "    mov %rsp, %rbp\n" /* two zeros: they look like the end of a chain, and are not */
        "1:  dec %rdi\n"
        "    jnz 1b\n"
        "    add $16, %rsp\n"
        "    pop %rbp\n"
        "    ret\n"
        ".size bare, . - bare\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".type framed, %function\n"
        "framed:\n"
        "    stp x29, x30, [sp, #-80]!\n"
        "    mov x29, sp\n"
        "1:  subs x0, x0, #1\n"
        "    b.ne 1b\n"
        "    ldp x29, x30, [sp], #80\n"
        "    ret\n"
        ".size framed, . - framed\n"
        ".type bare, %function\n"
        "bare:\n"
        "    stp x29, x30, [sp, #-16]!\n"
        "    stp xzr, xzr, [sp, #-16]!\n"
        "    mov x29, sp\n"
        "1:  subs x0, x0, #1\n"
        "    b.ne 1b\n"
        "    add sp, sp, #16\n"
        "    ldp x29, x30, [sp], #16\n"
        "    ret\n"
        ".size bare, . - bare\n");
#endif

#define STEPS 300000

static OPAQUE void call_framed(void)
{
    framed((uint64_t)3 * STEPS); /* known: framed */
    __asm__ volatile("");
}

static OPAQUE void call_bare(void)
{
    bare(STEPS); /* known: bare */
    __asm__ volatile("");
}

int main(int argc, char **argv)
{
    target_start(argc, argv);
    for (;;) {
        call_framed(); /* known: main framed */
        call_bare();   /* known: main bare */
    }
}
