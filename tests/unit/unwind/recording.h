/*
 * The unwinder on real call frame information: the test's own code is the target. Its registers
 * and stack are recorded at a known depth of known functions, and glibc's backtrace(3) (libgcc's
 * unwinder) is the second opinion, frame by frame.
 */
#pragma once

#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "unwind/unwinder.h"

extern const Elf64_Ehdr __ehdr_start; /* of this program: made by the linker */

/* One that functions keep for their callers: rbx, x19. */
#if defined(__x86_64__)
#define KEPT_REGISTER 3
#elif defined(__aarch64__)
#define KEPT_REGISTER 19
#endif

#define STACK_BYTES 16384
#define DEPTH 40

static uint64_t stack_top; /* end of the test's own stack */

/* A sample of ourselves, and what backtrace(3) says about it. */
static struct recording {
    struct sample sample;
    unsigned char stack[STACK_BYTES];
    void *backtrace[64];
    int backtrace_count;
} recording;

/* Records the state that it runs in, without any call after the registers are read. */
__attribute__((noinline, no_sanitize("address"))) static void record(void)
{
    memset(&recording, 0, sizeof recording);
    recording.backtrace_count = backtrace(recording.backtrace, 64);
    uint64_t ip = 0, sp = 0, fp = 0, kept = 0;
#if defined(__x86_64__)
    __asm__ volatile("leaq 1f(%%rip), %0\n1: movq %%rsp, %1\nmovq %%rbp, %2\nmovq %%rbx, %3"
                     : "=&r"(ip), "=&r"(sp), "=&r"(fp), "=&r"(kept));
#elif defined(__aarch64__)
    __asm__ volatile("adr %0, 1f\n1: mov %1, sp\nmov %2, x29\nmov %3, x19"
                     : "=&r"(ip), "=&r"(sp), "=&r"(fp), "=&r"(kept));
#endif
    const volatile unsigned char *from = (const unsigned char *)(uintptr_t)sp;
    size_t bytes = stack_top - sp < STACK_BYTES ? stack_top - sp : STACK_BYTES;
    for (size_t i = 0; i < bytes; i++)
        recording.stack[i] = from[i];
    struct registers *registers = &recording.sample.registers;
    registers->values[architecture_own.ip] = ip;
    registers->values[architecture_own.sp] = sp;
    registers->values[architecture_own.fp] = fp;
    registers->values[KEPT_REGISTER] = kept;
    registers->valid = UINT64_C(1) << architecture_own.ip | UINT64_C(1) << architecture_own.sp |
                       UINT64_C(1) << architecture_own.fp | UINT64_C(1) << KEPT_REGISTER;
    recording.sample.has_user = true;
    recording.sample.stack = recording.stack;
    recording.sample.stack_bytes = bytes;
    recording.sample.stack_cut = true;
}

/* A chain of frames of different sizes; not a tail call. */
__attribute__((noinline, no_sanitize("address"))) static unsigned descend(unsigned depth)
{
    volatile unsigned char padding[48];
    padding[depth % 48] = (unsigned char)depth;
    if (depth == 0)
        record();
    else
        padding[0] += (unsigned char)descend(depth - 1);
    return padding[0] + depth;
}

static struct module_segment self_segment; /* text is at the same place in file and memory */
static struct module self = {.segments = &self_segment,
                             .segment_count = 1,
                             .id = 7,
                             .kind = MODULE_FILE,
                             .path = (char[]){"self"},
                             .fd = -1};
static const struct module kernel = {
    .id = 1, .kind = MODULE_KERNEL, .path = (char[]){"[kernel]"}, .fd = -1};
static uint64_t self_base, self_end;

extern const char etext; /* end of this program's code: made by the linker */

static const struct module *find(void *user, uint64_t ip, uint64_t *ret_vaddr)
{
    (void)user;
    if (ip < self_base || ip >= self_end)
        return NULL;
    *ret_vaddr = ip - self_base;
    return &self;
}

static const struct unwind_space space = {.find = find, .kernel = &kernel};
static struct unwinder *unwinder;
static struct raw_stack stack;

static int set_up(void **state)
{
    (void)state;
    pthread_attr_t attributes;
    void *lowest = NULL;
    size_t bytes = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) ||
        pthread_attr_getstack(&attributes, &lowest, &bytes))
        return -1;
    pthread_attr_destroy(&attributes);
    stack_top = (uint64_t)(uintptr_t)lowest + bytes;
    self_base = (uint64_t)(uintptr_t)&__ehdr_start;
    self_end = (uint64_t)(uintptr_t)&etext;
    self_segment.bytes = self_end - self_base;
    self.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    return self.fd < 0 ? -1 : unwinder_new(&architecture_own, &unwinder);
}

static int tear_down(void **state)
{
    (void)state;
    unwinder_free(unwinder);
    close(self.fd);
    return 0;
}

/* The stack goes through more than `least` of this program's functions, as backtrace(3) does. */
static void assert_as_by_backtrace(int least)
{
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    assert_true(stack.count > (size_t)least);
    assert_false(stack.frames[0].is_return_address);
    /* The innermost frames are record() and, with a sanitizer, its own: look for the first caller.
     */
    int first = 0;
    while (first < recording.backtrace_count &&
           (uint64_t)(uintptr_t)recording.backtrace[first] - self_base != stack.frames[1].vaddr)
        first++;
    int compared = 0;
    for (; first + compared < recording.backtrace_count; compared++) {
        uint64_t ip = (uint64_t)(uintptr_t)recording.backtrace[first + compared];
        const struct raw_frame *frame = &stack.frames[1 + compared];
        if (ip < self_base || ip >= self_end)
            break;
        assert_int_equal(frame->vaddr, ip - self_base);
        assert_true(frame->is_return_address);
        assert_int_equal(frame->module, self.id);
    }
    assert_true(compared > least);
}
