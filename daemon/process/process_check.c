/* Whether a process can be profiled at all. */
#include "process/process_check.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/proc_text.h"

#define KERNEL_THREAD_FLAG 0x00200000 /* PF_KTHREAD of the kernel's linux/sched.h */

/* The process that `pid` is a thread of: itself, for a process. */
static pid_t thread_group(pid_t pid)
{
    _cleanup_free_ char *text = NULL;
    int group = pid;
    if (proc_read_text(pid, 0, PROC_STATUS, &text, NULL))
        return pid;
    const char *line = strstr(text, "\nTgid:");
    if (line && sscanf(line, " Tgid: %d", &group) != 1)
        return pid;
    return group;
}

bool process_is_32_bit(pid_t pid)
{
    _cleanup_close_ int fd = -1;
    unsigned char ident[EI_NIDENT] = {0};
    if (privilege_open_proc(pid, 0, PROC_EXE, &fd) ||
        read(fd, ident, sizeof ident) != (ssize_t)sizeof ident)
        return false; /* unreadable is not 32-bit: attaching will tell */
    return memcmp(ident, ELFMAG, SELFMAG) == 0 && ident[EI_CLASS] == ELFCLASS32;
}

int process_check(pid_t pid, struct failure *ret_failure)
{
    struct proc_stat stat;
    int error = pid > 0 ? proc_read_stat(pid, 0, &stat) : -ESRCH;
    if (error == -ENOENT || error == -ESRCH)
        return failure_set(ret_failure, -ESRCH,
                           "no process %d: list processes with `ps -e`, or start lprofd without "
                           "--pid and choose in the browser",
                           pid);
    if (error)
        return failure_set(ret_failure, error, "/proc/%d/stat cannot be read: %s", pid,
                           strerror(-error));
    if (thread_group(pid) != pid)
        return failure_set(ret_failure, -ENOTSUP,
                           "%d is a thread of process %d: profile that with --pid %d", pid,
                           thread_group(pid), thread_group(pid));
    if (proc_has_ended(pid, &stat))
        return failure_set(ret_failure, -ENOTSUP,
                           "process %d has ended and waits for its parent %d (a zombie): there is "
                           "nothing left to profile",
                           pid, stat.parent);
    if (stat.flags & KERNEL_THREAD_FLAG)
        return failure_set(ret_failure, -ENOTSUP,
                           "process %d is a kernel thread: lprofd profiles user programs; try "
                           "`perf top` for the kernel",
                           pid);
    if (process_is_32_bit(pid))
        return failure_set(ret_failure, -ENOTSUP,
                           "process %d is a 32-bit program: lprofd profiles 64-bit programs; "
                           "build it for 64 bits",
                           pid);
    return 0;
}

int process_describe(pid_t pid, char **ret_command, char **ret_executable)
{
    _cleanup_free_ char *command = NULL, *executable = NULL;
    size_t length = 0;
    int error = proc_read_text(pid, 0, PROC_CMDLINE, &command, &length);
    if (error)
        return error;
    while (length > 0 && command[length - 1] == '\0')
        length--;
    for (size_t i = 0; i < length; i++)
        if (command[i] == '\0')
            command[i] = ' ';

    char path[PATH_MAX];
    if (privilege_read_exe_link(pid, sizeof path, path))
        path[0] = '\0';
    executable = strdup(path);
    if (!executable)
        return -ENOMEM;
    *ret_command = take_pointer(command);
    *ret_executable = take_pointer(executable);
    return 0;
}
