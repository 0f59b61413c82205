/* Threads that a tick found runnable only because they had just been woken. */
#pragma once

#include "capture/ptrace_threads.h"
#include "lprofd/sample.h"

/*
 * True when the stopped thread had slept in a system call and did not have a CPU yet when the tick
 * found it: it shows where it slept, and has used no CPU time there. `sample` has its registers,
 * `run` is of now. One that waited because it had to give its CPU up shows where that was.
 */
bool ptrace_woken_only(const struct traced_threads *threads, struct traced_thread *thread,
                       const struct thread_run *run, const struct sample *sample);
