/* The processes of this machine, by number. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* All that /proc lists, in its order; each may end at any time. The caller frees. 0 or -errno. */
int proc_pids(pid_t **ret_pids, size_t *ret_count);
