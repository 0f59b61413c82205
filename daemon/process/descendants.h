/* The children of a process, their children and so on: what --follow finds, or should have. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* More than this of one process are not looked for. */
#define DESCENDANTS_MAX 65536

struct descendants {
    pid_t *pids; /* owned; living ones, parents before their children */
    size_t count;
    uint64_t cpu_ns; /* of these, and of those that have ended and were waited for */
};

/*
 * Looks for them in /proc once, which takes time with every process of the machine. CPU time has
 * the kernel's ticks for its unit; a zombie is not living. 0, -ESRCH when `pid` itself has ended,
 * or -errno. proc_pid_stat(5): ppid, utime, stime, cutime, cstime.
 */
int descendants_read(pid_t pid, struct descendants *ret_descendants);
void descendants_clear(struct descendants *descendants);
