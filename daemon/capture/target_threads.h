/* The threads that a process has, for backends that attach to each. */
#pragma once

#include <sys/types.h>

#include "base/cancel.h"

/* Called for each thread; an error other than -ESRCH (it has ended) stops the listing. */
typedef int target_thread_fn(void *user, pid_t tid);

/*
 * Calls on_thread for every entry of /proc/PID/task. 0, -ESRCH, the error of on_thread, or
 * -ECANCELED once `cancel`, which may be NULL, is wanted.
 */
int target_threads_each(pid_t pid, const struct cancel *cancel, target_thread_fn *on_thread,
                        void *user);
