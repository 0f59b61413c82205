/* A sample: one observation of one thread, as a capture backend hands it on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Registers by DWARF number: x86-64 0-16 (System V psABI table 3.36: 6 = rbp, 7 = rsp, 16 = return
 * address, that is rip), aarch64 0-32 (29 = fp, 30 = lr, 31 = sp, 32 = pc). Which is which is in
 * lprofd/architecture.h.
 */
#define REGISTER_COUNT 33

struct registers {
    uint64_t values[REGISTER_COUNT];
    uint64_t valid; /* bit n: values[n] is known */
};

static inline bool registers_have(const struct registers *registers, unsigned number)
{
    return number < REGISTER_COUNT && (registers->valid >> number & 1);
}

/* All pointers are borrowed and valid only until the callback that received the sample returns. */
struct sample {
    uint64_t time_ns; /* CLOCK_MONOTONIC */
    pid_t pid, tid;   /* in lprofd's pid namespace */
    uint32_t cpu;
    uint64_t event_id;          /* perf's, of the event that was opened, if inherited too; or 0 */
    uint64_t weight_ns;         /* CPU time that this sample stands for */
    bool in_kernel;             /* the thread was running kernel code */
    bool has_user;              /* registers and stack below are those of 64-bit user code */
    struct registers registers; /* user registers at the sample (at kernel entry if in_kernel) */
    const unsigned char *stack; /* copy of the user stack, starting at the stack pointer */
    size_t stack_bytes;
    bool stack_cut;             /* the copy was limited by the configured size, not by the stack */
    const uint64_t *kernel_ips; /* leaf first, all but the first are return addresses */
    size_t kernel_ip_count;
};
