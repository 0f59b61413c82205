/* Reads registers and stack of a stopped thread. */
#include "capture/ptrace_sample.h"

#include <errno.h>

#include "lprofd/architecture.h"
#include "lprofd/privilege.h"

int ptrace_sample_registers(pid_t tid, struct sample *sample)
{
    const struct register_order *order = &architecture_own.regset;
    uint64_t words[REGISTER_ORDER_MAX];
    int error = privilege_ptrace_registers(tid, words, order->count);
    sample->has_user = !error;
    if (error)
        return error == -ENOTSUP ? 0 : error;
    registers_take(&sample->registers, order, words);
    return 0;
}

void ptrace_sample_stack(pid_t tid, unsigned char *stack, size_t stack_bytes, struct sample *sample)
{
    if (!sample->has_user)
        return;
    /* The stack ends with its mapping, so a shorter copy is complete; no copy at all is a sample
     * too: of a thread with a damaged stack pointer. */
    size_t got = 0;
    privilege_read_memory_part(tid, sample->registers.values[architecture_own.sp], stack,
                               stack_bytes, &got);
    sample->stack = stack;
    sample->stack_bytes = got;
    sample->stack_cut = got == stack_bytes;
}
