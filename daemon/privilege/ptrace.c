/* The ptrace(2) requests that lprofd uses. */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "lprofd/privilege.h"

/* Those of x86-64 are 27 words, those of aarch64 34. */
#define REGISTERS_MAX 64

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

int privilege_ptrace_registers(pid_t tid, uint64_t *ret_words, size_t count)
{
    uint64_t words[REGISTERS_MAX];
    const size_t bytes = count * sizeof *words;
    if (count > REGISTERS_MAX)
        return -EINVAL;
    struct iovec buffer = {.iov_base = words, .iov_len = bytes};
    if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &buffer) < 0)
        return -errno;
    if (buffer.iov_len != bytes) /* a 32-bit thread has a smaller set */
        return -ENOTSUP;
    memcpy(ret_words, words, bytes);
    return 0;
}

int privilege_ptrace_continue(pid_t tid, int signal)
{
    return request(PTRACE_CONT, tid, (unsigned long)signal);
}

int privilege_ptrace_former_tid(pid_t tid, pid_t *ret_former)
{
    unsigned long message = 0;
    int error = request(PTRACE_GETEVENTMSG, tid, (unsigned long)&message);
    if (!error)
        *ret_former = (pid_t)message;
    return error;
}

int privilege_ptrace_listen(pid_t tid)
{
    return request(PTRACE_LISTEN, tid, 0);
}

int privilege_ptrace_detach(pid_t tid, int signal)
{
    return request(PTRACE_DETACH, tid, (unsigned long)signal);
}
