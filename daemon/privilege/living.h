/*
 * Files of /proc/PID, also when the main thread has ended and others go on (pthread_exit(3)): the
 * memory, root and executable of /proc/PID are gone then, but each thread has them, too.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/*
 * Opens /proc/PID/NAME, or that of the first thread of the process that lives: below /proc/TID,
 * where all the files of a process are. -ESRCH when none does, a zombie.
 */
int living_open(pid_t pid, const char *name, int flags, int *ret_fd);

/* What the link of that name says, NUL-terminated. -ENAMETOOLONG when it does not fit. */
int living_read_link(pid_t pid, const char *name, size_t bytes, char *ret_text);
