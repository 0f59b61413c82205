/* The work of the ptrace backend's tracer thread. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "capture/ptrace_maps.h"
#include "capture/ptrace_queue.h"
#include "capture/ptrace_threads.h"

/* How soon the flags below are seen when no tick is due. */
#define PTRACE_IDLE_INTERVAL_NS (20 * UINT64_C(1000000))

/* Of a stack no more is copied. */
#define PTRACE_STACK_BYTES_MAX (1u << 16)

struct ptrace_loop {
    struct record_queue *queue; /* borrowed */
    pid_t pid;
    uint64_t period_ns;
    atomic_bool enabled, stopping;   /* set by other threads */
    atomic_bool lacks_descriptors;   /* a thread could not be looked at; cleared by the reader */
    _Atomic uint64_t target_cost_ns; /* for how long threads stood still; read by others */
    unsigned char *stack;            /* borrowed, of PTRACE_STACK_BYTES_MAX */
    _Atomic(uint32_t) stack_bytes;   /* to copy of each stack; set by other threads */
    struct traced_threads threads;   /* owned */
    struct ptrace_maps maps;         /* owned */
    timer_t timer;                   /* borrowed: interrupts the loop when a tick is due */
    uint64_t next_tick_ns;
    uint64_t random; /* not 0 */
};

/* Has the timer fire for the next tick, and from time to time until it is set again. 0 or -errno.
 */
int ptrace_loop_set_timer(const struct ptrace_loop *loop);

/*
 * Until the target has ended or `stopping` is set, in the thread that has seized the threads. A
 * signal must interrupt it for each tick.
 */
void ptrace_loop_run(struct ptrace_loop *loop);
