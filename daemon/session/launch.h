/* Starting a command that waits for its go. */
#pragma once

#include <sys/types.h>

#include "base/failure.h"

/*
 * Forks a child that executes `command` (looked up in PATH) as soon as *ret_go_fd is closed by us.
 * The child has our stdio. Fails without a child when the command cannot be executed: -ENOENT,
 * -EACCES; -ENOEXEC for another machine's program, -ENOTSUP for a 32-bit one.
 */
int launch_command(char *const *command, pid_t *ret_pid, int *ret_go_fd,
                   struct failure *ret_failure);

/*
 * Lets the command run on unwatched: its exit status is taken when it ends, however long that is
 * and whether or not its session is still there, so that no zombie is left.
 */
void launch_reap(pid_t pid);
