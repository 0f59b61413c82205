/* Finds out why ptrace was refused: EPERM has many reasons, and each has its own remedy. */
#include "capture/ptrace_refusal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "lprofd/privilege.h"

#define VALUE_BYTES 64

/* What follows `name` in the status file. False when there is no such line, or no such thread. */
static bool read_status(pid_t pid, pid_t tid, const char *name, char ret_value[static VALUE_BYTES])
{
    int fd = -1;
    if (privilege_open_proc(pid, tid, PROC_STATUS, &fd))
        return false;
    _cleanup_file_ FILE *file = fdopen(fd, "r");
    if (!file) {
        close(fd);
        return false;
    }
    char line[256];
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, name, strlen(name)) != 0)
            continue;
        snprintf(ret_value, VALUE_BYTES, "%s", line + strlen(name));
        return true;
    }
    return false;
}

/* -1 when there is none. */
static long read_status_number(pid_t pid, pid_t tid, const char *name)
{
    char value[VALUE_BYTES];
    return read_status(pid, tid, name, value) ? strtol(value, NULL, 10) : -1;
}

/* Gone, or a zombie: it is refused like what may not be traced. */
static bool has_ended(pid_t pid)
{
    char state[VALUE_BYTES];
    return !read_status(pid, 0, "State:\t", state) || state[0] == 'Z' || state[0] == 'X';
}

pid_t ptrace_tracer_of(pid_t pid, pid_t tid)
{
    long tracer = read_status_number(pid, tid, "TracerPid:");
    return tracer > 0 ? (pid_t)tracer : 0;
}

int ptrace_yama_scope(void)
{
    _cleanup_file_ FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
    int scope;
    return file && fscanf(file, "%d", &scope) == 1 ? scope : -1;
}

/* Its status has no VmSize line. */
static bool is_kernel_thread(pid_t pid)
{
    return read_status_number(pid, 0, "VmSize:") < 0;
}

static int refusal_by_yama(pid_t pid, int scope, int error, struct failure *ret_failure)
{
    if (scope >= 3)
        return failure_set(ret_failure, error,
                           "cannot trace process %d: kernel.yama.ptrace_scope is 3, which forbids "
                           "it to everybody until the next boot",
                           pid);
    return failure_set(ret_failure, error,
                       "cannot trace process %d: kernel.yama.ptrace_scope is %d; run lprofd as "
                       "root, or start the program with lprofd -- COMMAND, or allow it with "
                       "sysctl kernel.yama.ptrace_scope=0",
                       pid, scope);
}

static int refusal_by_permission(pid_t pid, int error, struct failure *ret_failure)
{
    if (has_ended(pid))
        return failure_set(ret_failure, -ESRCH, "process %d has ended", pid);
    pid_t tracer = ptrace_tracer_of(pid, 0);
    if (tracer > 0)
        return failure_set(ret_failure, error,
                           "cannot trace process %d: process %d (a debugger or strace?) traces it "
                           "already; end that first",
                           pid, tracer);
    if (pid == getpid())
        return failure_set(ret_failure, error, "cannot trace process %d: it is lprofd itself", pid);
    if (is_kernel_thread(pid))
        return failure_set(ret_failure, error, "cannot trace process %d: it is a kernel thread",
                           pid);
    long uid = read_status_number(pid, 0, "Uid:");
    if (geteuid() != 0 && uid != (long)geteuid())
        return failure_set(ret_failure, error,
                           "cannot trace process %d: it belongs to user %ld; run lprofd as root or "
                           "as that user",
                           pid, uid);
    int scope = ptrace_yama_scope();
    if (scope > 0)
        return refusal_by_yama(pid, scope, error, ret_failure);
    return failure_set(
        ret_failure, error,
        "cannot trace process %d: the kernel refuses ptrace (%s); run lprofd as root "
        "or with CAP_SYS_PTRACE, in a container with --cap-add=SYS_PTRACE",
        pid, strerror(-error));
}

int ptrace_refusal(pid_t pid, int error, struct failure *ret_failure)
{
    if (error == -ESRCH || error == -ENOENT)
        return failure_set(ret_failure, -ESRCH, "there is no process %d", pid);
    if (error == -EPERM || error == -EACCES)
        return refusal_by_permission(pid, error, ret_failure);
    return failure_set(ret_failure, error, "cannot trace process %d: %s", pid, strerror(-error));
}
