/* Reads registers and stack of a stopped thread. */
#include "capture/ptrace_sample.h"

#include <errno.h>

#include "base/cleanup.h"
#include "lprofd/privilege.h"

#if defined(__x86_64__)
/* DWARF numbers: System V psABI for AMD64, figure 3.36. */
static void copy_registers(const struct user_regs_struct *from, struct registers *to)
{
    const uint64_t values[] = {
        from->rax, from->rdx, from->rcx, from->rbx, from->rsi, from->rdi,
        from->rbp, from->rsp, from->r8,  from->r9,  from->r10, from->r11,
        from->r12, from->r13, from->r14, from->r15, from->rip,
    };
    for (size_t i = 0; i < array_length(values); i++)
        to->values[i] = values[i];
    to->valid = (UINT64_C(1) << array_length(values)) - 1;
}
#elif defined(__aarch64__)
/* DWARF for the Arm 64-bit Architecture, table 3; 32 is where perf has the program counter. */
static void copy_registers(const struct user_regs_struct *from, struct registers *to)
{
    for (size_t i = 0; i < array_length(from->regs); i++)
        to->values[i] = from->regs[i];
    to->values[REGISTER_SP] = from->sp;
    to->values[REGISTER_IP] = from->pc;
    to->valid = (UINT64_C(1) << REGISTER_COUNT) - 1;
}
#else
#error "the registers of this architecture are not known here"
#endif

int ptrace_sample_registers(pid_t tid, struct sample *sample)
{
    struct user_regs_struct registers;
    int error = privilege_ptrace_registers(tid, &registers);
    sample->has_user = !error;
    if (error)
        return error == -ENOTSUP ? 0 : error;
    copy_registers(&registers, &sample->registers);
    return 0;
}

void ptrace_sample_stack(pid_t pid, unsigned char *stack, size_t stack_bytes, struct sample *sample)
{
    if (!sample->has_user)
        return;
    /* The stack ends with its mapping, so a shorter copy is complete; no copy at all is a sample
     * too: of a thread with a damaged stack pointer. */
    size_t got = 0;
    privilege_read_memory_part(pid, sample->registers.values[REGISTER_SP], stack, stack_bytes,
                               &got);
    sample->stack = stack;
    sample->stack_bytes = got;
    sample->stack_cut = got == stack_bytes;
}
