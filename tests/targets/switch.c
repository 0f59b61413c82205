/*
 * Works on a stack that a frame with correct call frame information switched to, as __morestack of
 * -fsplit-stack and coroutines do: its caller is on another stack. With a second argument the frame
 * tells by an expression where on that one it is, as SBCL's does.
 */
#include <sys/mman.h>

#include "target.h"

#define UNIT 400000
#define STACK_BYTES 65536

void run_on(void *stack_end, void (*function)(void));
void run_by_expression(void *stack_end, void (*function)(void));

#if defined(__x86_64__)
__asm__(".text\n"
        ".type run_on, @function\n"
        "run_on:\n"
        "    .cfi_startproc\n"
        "    push %rbp\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset %rbp, -16\n"
        "    mov %rsp, %rbp\n"
        "    .cfi_def_cfa_register %rbp\n"
        "    mov %rdi, %rsp\n"
        "    call *%rsi\n"
        "    leave\n"
        "    .cfi_def_cfa %rsp, 8\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size run_on, . - run_on\n"
        ".type run_by_expression, @function\n"
        "run_by_expression:\n"
        "    .cfi_startproc\n"
        "    push %rbp\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset %rbp, -16\n"
        "    mov %rsp, %rbp\n"
        "    .cfi_def_cfa_register %rbp\n"
        "    mov %rdi, %rsp\n"
        "    push %rbp\n"
        "    mov %rsp, %rbp\n"
        "    .cfi_escape 0x0f, 5, 0x76, 0, 0x06, 0x40, 0x22\n" /* CFA: *rbp + 16 */
        "    sub $8, %rsp\n"
        "    call *%rsi\n"
        "    mov (%rbp), %rsp\n"
        "    pop %rbp\n"
        "    .cfi_def_cfa %rsp, 8\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size run_by_expression, . - run_by_expression\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".type run_on, %function\n"
        "run_on:\n"
        "    .cfi_startproc\n"
        "    stp x29, x30, [sp, #-16]!\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset x29, -16\n"
        "    .cfi_offset x30, -8\n"
        "    mov x29, sp\n"
        "    .cfi_def_cfa_register x29\n"
        "    mov sp, x0\n"
        "    blr x1\n"
        "    mov sp, x29\n"
        "    .cfi_def_cfa_register sp\n"
        "    ldp x29, x30, [sp], #16\n"
        "    .cfi_def_cfa_offset 0\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size run_on, . - run_on\n");

void run_by_expression(void *stack_end, void (*function)(void))
{
    run_on(stack_end, function);
}
#endif

static volatile uint64_t seed = 1;

static OPAQUE void switched_work(void)
{
    uint64_t value = seed;
    WORK(value, UNIT); /* known: switched */
    seed = value;
}

int main(int argc, char **argv)
{
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (stack == MAP_FAILED)
        return 1;
    target_start(argc, argv);
    for (;;)
        (argc > 2 ? run_by_expression : run_on)(stack + STACK_BYTES, switched_work);
}
