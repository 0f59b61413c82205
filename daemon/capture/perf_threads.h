/* The threads that a process has, for backends that open events per thread. */
#pragma once

#include <sys/types.h>

/* Called for each thread; an error other than -ESRCH (it has ended) stops the listing. */
typedef int perf_thread_fn(void *user, pid_t tid);

/* Calls on_thread for every entry of /proc/PID/task. 0, -ESRCH or the error of on_thread. */
int perf_threads_each(pid_t pid, perf_thread_fn *on_thread, void *user);
