/* Becoming the tracer of all threads of a process. */
#pragma once

#include "base/cancel.h"
#include "capture/ptrace_threads.h"

/*
 * Seizes all threads of threads->pid for the calling thread, and adds them. `cancel` may be NULL.
 * 0, or -errno: then some are seized, until the calling thread ends.
 */
int ptrace_seize(struct traced_threads *threads, const struct cancel *cancel);
