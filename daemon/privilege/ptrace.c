/* The ptrace(2) requests that lprofd uses. */
#include <elf.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "lprofd/privilege.h"

static int request(enum __ptrace_request kind, pid_t tid, unsigned long data)
{
    return ptrace(kind, tid, NULL, (void *)data) < 0 ? -errno : 0;
}

int privilege_ptrace_seize(pid_t tid)
{
    /* Without PTRACE_O_EXITKILL: the target runs on when lprofd dies. */
    return request(PTRACE_SEIZE, tid, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC);
}

int privilege_ptrace_interrupt(pid_t tid)
{
    return request(PTRACE_INTERRUPT, tid, 0);
}

int privilege_ptrace_registers(pid_t tid, struct user_regs_struct *ret_registers)
{
    struct user_regs_struct registers;
    struct iovec buffer = {.iov_base = &registers, .iov_len = sizeof registers};
    if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &buffer) < 0)
        return -errno;
    if (buffer.iov_len != sizeof registers) /* a 32-bit thread has a smaller set */
        return -ENOTSUP;
    *ret_registers = registers;
    return 0;
}

int privilege_ptrace_continue(pid_t tid, int signal)
{
    return request(PTRACE_CONT, tid, (unsigned long)signal);
}

int privilege_ptrace_listen(pid_t tid)
{
    return request(PTRACE_LISTEN, tid, 0);
}

int privilege_ptrace_detach(pid_t tid, int signal)
{
    return request(PTRACE_DETACH, tid, (unsigned long)signal);
}
