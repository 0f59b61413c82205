/* What a stopped thread shows. */
#pragma once

#include <stddef.h>

#include "lprofd/sample.h"

/*
 * Fills registers, stack, stack_bytes, stack_cut and has_user of *sample from a thread in a
 * ptrace-stop. `stack` (borrowed by the sample) has room for stack_bytes. 0, or -ESRCH when the
 * thread is gone; a 32-bit thread has no user part and is no failure.
 */
int ptrace_sample_read(pid_t pid, pid_t tid, unsigned char *stack, size_t stack_bytes,
                       struct sample *sample);
