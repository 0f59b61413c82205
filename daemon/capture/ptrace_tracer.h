/* The tracer: a thread of lprofd that has seized the target's threads and samples them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "capture/capture.h"
#include "capture/ptrace_queue.h"

struct ptrace_tracer;

/*
 * Starts the thread and seizes the target. Records go to `queue`, which must outlive the tracer.
 * Fails as capture_ops.open() does.
 */
int ptrace_tracer_start(const struct capture_options *options, struct record_queue *queue,
                        struct ptrace_tracer **ret_tracer, struct failure *ret_failure);
/* Is seen within PTRACE_IDLE_INTERVAL_NS. */
void ptrace_tracer_set_enabled(struct ptrace_tracer *tracer, bool enabled);
/* From now on; at most PTRACE_STACK_BYTES_MAX. */
void ptrace_tracer_set_stack_bytes(struct ptrace_tracer *tracer, uint32_t stack_bytes);
/* For how long the target's threads stood still so far, together. */
uint64_t ptrace_tracer_cost_ns(const struct ptrace_tracer *tracer);
/* True once after threads could not be looked at for want of file descriptors. */
bool ptrace_tracer_lacked_descriptors(struct ptrace_tracer *tracer);
/* Lets go of the target and ends the thread. NULL is harmless. */
void ptrace_tracer_stop(struct ptrace_tracer *tracer);
