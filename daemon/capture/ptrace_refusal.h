/* Why a process cannot be traced, in words. */
#pragma once

#include <sys/types.h>

#include "base/failure.h"

/* Fills *failure for a seize of `pid` that failed with `error`, with the remedy; returns error. */
int ptrace_refusal(pid_t pid, int error, struct failure *ret_failure);

/* kernel.yama.ptrace_scope, or -1 where there is no such restriction (ptrace(2)). */
int ptrace_yama_scope(void);

/* The process or thread that traces `pid` already, 0 when none does or it is not known. */
pid_t ptrace_tracer_of(pid_t pid, pid_t tid);
