/* What a stopped thread shows. */
#pragma once

#include <stddef.h>

#include "lprofd/sample.h"

/*
 * Fills registers and has_user of *sample from a thread in a ptrace-stop. 0, or -ESRCH when the
 * thread is gone; a 32-bit thread has no user part, which is no failure.
 */
int ptrace_sample_registers(pid_t tid, struct sample *sample);

/*
 * Fills stack, stack_bytes and stack_cut by the stack pointer of *sample. `stack`, which the sample
 * borrows, has room for stack_bytes. By the thread, not its process: that has no memory once the
 * main thread has ended, and a stopped thread keeps its id.
 */
void ptrace_sample_stack(pid_t tid, unsigned char *stack, size_t stack_bytes,
                         struct sample *sample);
