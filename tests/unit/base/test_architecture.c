/* What is known of architectures, beside the headers of the one that the test runs on. */
#include <elf.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/user.h>
#include <ucontext.h>

#include <cmocka.h>

#include <asm/perf_regs.h>

#include "lprofd/architecture.h"

static void each_machine_has_its_architecture(void **state)
{
    (void)state;
    assert_ptr_equal(architecture_of_machine(EM_X86_64), &architecture_x86_64);
    assert_ptr_equal(architecture_of_machine(EM_AARCH64), &architecture_aarch64);
    assert_null(architecture_of_machine(EM_386));
}

/* The DWARF number of the register whose bit in a perf mask this is. */
static unsigned perf_number(unsigned perf_register)
{
    const struct architecture *architecture = &architecture_own;
    uint64_t bit = UINT64_C(1) << perf_register;
    assert_true(architecture->perf_mask & bit);
    return architecture->perf.numbers[__builtin_popcountll(architecture->perf_mask & (bit - 1))];
}

static void perf_registers_are_in_the_order_of_their_bits(void **state)
{
    (void)state;
    const struct architecture *const all[] = {&architecture_x86_64, &architecture_aarch64};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(all[i]->perf.count, __builtin_popcountll(all[i]->perf_mask));
#if defined(__x86_64__)
    assert_int_equal(perf_number(PERF_REG_X86_IP), architecture_own.ip);
    assert_int_equal(perf_number(PERF_REG_X86_SP), architecture_own.sp);
    assert_int_equal(perf_number(PERF_REG_X86_BP), architecture_own.fp);
    assert_int_equal(perf_number(PERF_REG_X86_BX), 3);
    assert_int_equal(perf_number(PERF_REG_X86_R15), 15);
#else
    assert_int_equal(perf_number(PERF_REG_ARM64_PC), architecture_own.ip);
    assert_int_equal(perf_number(PERF_REG_ARM64_SP), architecture_own.sp);
    assert_int_equal(perf_number(PERF_REG_ARM64_X29), architecture_own.fp);
    assert_int_equal(perf_number(PERF_REG_ARM64_LR), architecture_own.lr);
#endif
}

static void registers_are_taken_from_where_ptrace_puts_them(void **state)
{
    (void)state;
    struct user_regs_struct user;
    memset(&user, 0xee, sizeof user); /* of no interest */
#if defined(__x86_64__)
    unsigned long long *const fields[] = {
        &user.rax, &user.rdx, &user.rcx, &user.rbx, &user.rsi, &user.rdi,
        &user.rbp, &user.rsp, &user.r8,  &user.r9,  &user.r10, &user.r11,
        &user.r12, &user.r13, &user.r14, &user.r15, &user.rip,
    };
    const unsigned count = sizeof fields / sizeof *fields;
    for (unsigned i = 0; i < count; i++)
        *fields[i] = 1000 + i;
#else
    const unsigned count = 33;
    for (unsigned i = 0; i < 31; i++)
        user.regs[i] = 1000 + i;
    user.sp = 1031;
    user.pc = 1032;
#endif
    assert_int_equal(architecture_own.regset.count, sizeof user / sizeof(uint64_t));
    struct registers registers = {0};
    registers_take(&registers, &architecture_own.regset, &user);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(registers.values[i], 1000 + i);
    assert_int_equal(registers.valid, (UINT64_C(1) << count) - 1);
}

static void signals_leave_registers_where_the_headers_say(void **state)
{
    (void)state;
    const struct signal_trampoline *trampoline = &architecture_own.trampoline;
#if defined(__x86_64__)
    assert_int_equal(trampoline->fp, offsetof(ucontext_t, uc_mcontext.gregs[REG_RBP]));
    assert_int_equal(trampoline->sp, offsetof(ucontext_t, uc_mcontext.gregs[REG_RSP]));
    assert_int_equal(trampoline->ip, offsetof(ucontext_t, uc_mcontext.gregs[REG_RIP]));
#else
    const size_t information = sizeof(siginfo_t);
    assert_int_equal(trampoline->fp, information + offsetof(ucontext_t, uc_mcontext.regs[29]));
    assert_int_equal(trampoline->lr, information + offsetof(ucontext_t, uc_mcontext.regs[30]));
    assert_int_equal(trampoline->sp, information + offsetof(ucontext_t, uc_mcontext.sp));
    assert_int_equal(trampoline->ip, information + offsetof(ucontext_t, uc_mcontext.pc));
#endif
}

static void the_code_mask_keeps_every_address_of_a_program(void **state)
{
    (void)state;
    assert_int_equal(architecture_code_mask(&architecture_x86_64), UINT64_MAX);
    uint64_t mask = architecture_code_mask(&architecture_aarch64);
    assert_int_equal(mask & (mask + 1), 0); /* low bits only */
    assert_in_range(mask, UINT64_C(1) << 35, UINT64_C(1) << 55);
    uint64_t here = (uint64_t)(uintptr_t)&here, code = (uint64_t)(uintptr_t)&architecture_code_mask;
    assert_int_equal(here & mask, here);
    assert_int_equal(code & mask, code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_machine_has_its_architecture),
        cmocka_unit_test(perf_registers_are_in_the_order_of_their_bits),
        cmocka_unit_test(registers_are_taken_from_where_ptrace_puts_them),
        cmocka_unit_test(signals_leave_registers_where_the_headers_say),
        cmocka_unit_test(the_code_mask_keeps_every_address_of_a_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
