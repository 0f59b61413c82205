/* Frames that are not left by the plain rules: other registers, begins of stacks, signals. */
#include <signal.h>
#include <sys/syscall.h>

#include "recording.h"

/*
 * Calls `function` with a stack pointer that tells nothing of its own frame: the CFA is in a
 * register that only the callees know of, as in glibc's _dl_runtime_resolve_xsavec.
 */
void call_rebased(unsigned (*function)(unsigned depth), unsigned depth);
__asm__(".text\n"
        ".balign 16\n"
        ".type call_rebased, @function\n"
        "call_rebased:\n"
        ".cfi_startproc\n"
#if defined(__x86_64__)
        "push %rbx\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset rbx, -16\n"
        "mov %rsp, %rbx\n"
        ".cfi_def_cfa rbx, 16\n"
        "sub $512, %rsp\n"
        "and $-64, %rsp\n"
        "mov %rdi, %rax\n"
        "mov %esi, %edi\n"
        "call *%rax\n"
        "mov %rbx, %rsp\n"
        ".cfi_def_cfa rsp, 16\n"
        "pop %rbx\n"
        ".cfi_def_cfa_offset 8\n"
#elif defined(__aarch64__)
        "stp x19, x30, [sp, #-16]!\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset x19, -16\n"
        ".cfi_offset x30, -8\n"
        "mov x19, sp\n"
        ".cfi_def_cfa x19, 16\n"
        "sub sp, sp, #512\n"
        "mov x2, x0\n"
        "mov w0, w1\n"
        "blr x2\n"
        "mov sp, x19\n"
        ".cfi_def_cfa sp, 16\n"
        "ldp x19, x30, [sp], #16\n"
        ".cfi_def_cfa_offset 0\n"
        ".cfi_restore x30\n"
#endif
        ".cfi_restore "
#if defined(__x86_64__)
        "rbx\n"
#elif defined(__aarch64__)
        "x19\n"
#endif
        "ret\n"
        ".cfi_endproc\n"
        ".size call_rebased, . - call_rebased\n");

static void a_frame_kept_in_another_register_is_left(void **state)
{
    (void)state;
    call_rebased(descend, 0); /* nobody on the way has saved the register */
    assert_as_by_backtrace(2);
    call_rebased(descend, DEPTH);
    assert_as_by_backtrace(DEPTH + 1);
}

/* What a context of makecontext(3) returns to; a leaf; and one without call frame information. */
void context_end(void) __asm__("context_end");
void lone_leaf(void) __asm__("lone_leaf");
void bare_leaf(void) __asm__("bare_leaf");
__asm__(".text\n"
        ".globl lone_leaf\n"
        "lone_leaf:\n"
        ".cfi_startproc\n"
        "nop\n"
        "ret\n"
        ".cfi_endproc\n"
        "nop\n"
        ".globl bare_leaf\n"
        "bare_leaf:\n"
        "nop\n"
        "ret\n"
        ".balign 16\n"
        ".globl context_end\n"
        "context_end:\n"
        ".cfi_startproc\n"
        "nop\n"
        ".cfi_endproc\n");

/* At the first instruction of `function`, called from a stack that ends with context_end(). */
static void run_at(void (*function)(void))
{
    const uint64_t words[] = {(uint64_t)(uintptr_t)context_end, 1, 2, 3};
    struct sample sample = {
        .has_user = true, .stack = (const unsigned char *)words, .stack_bytes = sizeof words};
    struct registers *registers = &sample.registers;
    registers->values[architecture_own.ip] = (uint64_t)(uintptr_t)function;
    registers->values[architecture_own.sp] = UINT64_C(0x7fff00000000);
    registers->valid = UINT64_C(1) << architecture_own.ip | UINT64_C(1) << architecture_own.sp;
    if (architecture_own.lr != REGISTER_NONE) {
        registers->values[architecture_own.lr] = words[0];
        registers->valid |= UINT64_C(1) << architecture_own.lr;
    }
    unwinder_run(unwinder, &sample, &space, &stack);
}

static void assert_begins_with_context(void)
{
    assert_int_equal(stack.end, STACK_END_ROOT);
    assert_int_equal(stack.count, 2);
    assert_int_equal(stack.frames[1].vaddr, (uint64_t)(uintptr_t)context_end - self_base);
    assert_false(stack.frames[1].is_return_address);
}

static void a_stack_begins_where_its_first_function_returns_to(void **state)
{
    (void)state;
    run_at(lone_leaf);
    assert_begins_with_context();
}

static void what_init_was_called_from_is_known_at_its_first_instruction(void **state)
{
    (void)state;
    self.init = (uint64_t)(uintptr_t)bare_leaf - self_base;
    run_at(bare_leaf);
    self.init = 0;
    assert_begins_with_context();
#if defined(__x86_64__) /* a link register tells it anyway */
    run_at(bare_leaf);
    assert_int_equal(stack.end, STACK_END_NO_CFI);
#endif
}

#if defined(__x86_64__)
/*
 * As if the function that was recorded, whose frame the frame pointer points at, had called
 * bare_leaf(). The stack's bytes from `above` on are overwritten.
 */
static void run_bare_leaf(size_t above)
{
    static unsigned char words[sizeof(uint64_t) + STACK_BYTES];
    struct sample sample = recording.sample;
    struct registers *registers = &sample.registers;
    const uint64_t caller = registers->values[architecture_own.ip];
    memset(words, 0x41, sizeof words);
    memcpy(words, &caller, sizeof caller);
    memcpy(words + sizeof caller, recording.stack,
           above < sample.stack_bytes ? above : sample.stack_bytes);
    registers->values[architecture_own.ip] = (uint64_t)(uintptr_t)bare_leaf;
    registers->values[architecture_own.sp] -= sizeof caller;
    sample.stack = words;
    sample.stack_bytes += sizeof caller;
    unwinder_run(unwinder, &sample, &space, &stack);
}

static void a_leaf_without_a_frame_is_its_callers_whatever_the_frame_pointer_says(void **state)
{
    (void)state;
    (void)descend(DEPTH);
    assert_as_by_backtrace(DEPTH);
    const struct raw_stack expected = stack;
    run_bare_leaf(STACK_BYTES);
    assert_int_equal(stack.end, expected.end);
    assert_int_equal(stack.count, expected.count + 1);
    assert_int_equal(stack.frames[0].vaddr, (uint64_t)(uintptr_t)bare_leaf - self_base);
    assert_true(stack.frames[1].is_return_address);
    for (size_t i = 0; i < expected.count; i++)
        assert_int_equal(stack.frames[i + 1].vaddr, expected.frames[i].vaddr);
}

static void what_is_on_top_of_the_stack_is_no_caller_if_it_leads_nowhere(void **state)
{
    (void)state;
    (void)descend(DEPTH);
    run_bare_leaf(0); /* nor does the frame pointer */
    assert_int_equal(stack.end, STACK_END_NO_CFI);
    assert_int_equal(stack.count, 2);
}
#endif

/* What musl's C library has: no call frame information. */
__asm__(".text\n"
        ".balign 16\n"
        "nop\n"
        ".type restorer, @function\n"
        "restorer:\n"
#if defined(__x86_64__)
        "mov $15, %rax\n"
        "syscall\n"
#elif defined(__aarch64__)
        "mov x8, #139\n"
        "svc #0\n"
#endif
        ".size restorer, . - restorer\n");

void restorer(void) __asm__("restorer");

/* The kernel's struct sigaction: the C library would put in a restorer of its own. */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

#define KERNEL_SA_RESTORER 0x04000000

static uint64_t interrupted, interrupted_caller;

static void on_signal(int number)
{
    (void)number;
    record();
}

/* Sends itself a signal by an instruction of its own. */
__attribute__((noinline, no_sanitize("address"))) static void interrupt_oneself(void)
{
    interrupted_caller = (uint64_t)(uintptr_t)__builtin_return_address(0);
    const pid_t pid = getpid(); /* no call once registers are set */
#if defined(__x86_64__)
    long number = SYS_kill;
    __asm__ volatile("leaq 1f(%%rip), %%rcx\nmovq %%rcx, %0\nsyscall\n1:"
                     : "=m"(interrupted), "+a"(number)
                     : "D"(pid), "S"(SIGUSR1)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = SYS_kill, x0 __asm__("x0") = pid;
    register long x1 __asm__("x1") = SIGUSR1;
    __asm__ volatile("adr x2, 1f\nstr x2, %0\nsvc #0\n1:"
                     : "=m"(interrupted), "+r"(x0)
                     : "r"(x8), "r"(x1)
                     : "x2", "memory");
#endif
}

static void a_handler_without_cfi_behind_it_is_left_by_what_the_kernel_saved(void **state)
{
    (void)state;
    static volatile struct kernel_action action = {on_signal, KERNEL_SA_RESTORER, restorer, 0};
    assert_int_equal(syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, sizeof action.mask), 0);
    memset(&recording, 0, sizeof recording);
    interrupt_oneself();
    assert_true(interrupted && recording.sample.has_user);
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    size_t i = 0;
    while (i < stack.count && stack.frames[i].vaddr != interrupted - self_base)
        i++;
    assert_in_range(i, 2, stack.count - 2);
    assert_int_equal(stack.frames[i - 1].vaddr, (uint64_t)(uintptr_t)action.restorer - self_base);
    assert_false(stack.frames[i].is_return_address);
    assert_int_equal(stack.frames[i + 1].vaddr, interrupted_caller - self_base);
    assert_true(stack.frames[i + 1].is_return_address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_kept_in_another_register_is_left),
        cmocka_unit_test(a_stack_begins_where_its_first_function_returns_to),
        cmocka_unit_test(what_init_was_called_from_is_known_at_its_first_instruction),
#if defined(__x86_64__)
        cmocka_unit_test(a_leaf_without_a_frame_is_its_callers_whatever_the_frame_pointer_says),
        cmocka_unit_test(what_is_on_top_of_the_stack_is_no_caller_if_it_leads_nowhere),
#endif
        cmocka_unit_test(a_handler_without_cfi_behind_it_is_left_by_what_the_kernel_saved),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
