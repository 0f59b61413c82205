/* Whether a process can be profiled at all, and if not, why, for a person. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/failure.h"

/*
 * 0; -ESRCH no such process; -ENOTSUP a zombie, a kernel thread, a thread of another process or a
 * 32-bit program; -EACCES when /proc says nothing about it.
 */
int process_check(pid_t pid, struct failure *ret_failure);

/* False also when its executable cannot be read. */
bool process_is_32_bit(pid_t pid);

/* The command line with spaces between arguments (the name in brackets if it is empty), and the
 * executable's path. Both are the caller's to free. 0 or -errno. */
int process_describe(pid_t pid, char **ret_command, char **ret_executable);
