/*
 * The unwinder on real call frame information: the test's own code is the target. Its registers
 * and stack are recorded at a known depth of known functions, and glibc's backtrace(3) (libgcc's
 * unwinder) is the second opinion, frame by frame.
 */
#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "unwind/unwinder.h"

extern const Elf64_Ehdr __ehdr_start; /* of this program: made by the linker */

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
    uint64_t ip = 0, sp = 0, fp = 0;
#if defined(__x86_64__)
    __asm__ volatile("leaq 1f(%%rip), %0\n1: movq %%rsp, %1\nmovq %%rbp, %2"
                     : "=r"(ip), "=r"(sp), "=r"(fp));
#elif defined(__aarch64__)
    __asm__ volatile("adr %0, 1f\n1: mov %1, sp\nmov %2, x29" : "=r"(ip), "=r"(sp), "=r"(fp));
#endif
    const volatile unsigned char *from = (const unsigned char *)(uintptr_t)sp;
    size_t bytes = stack_top - sp < STACK_BYTES ? stack_top - sp : STACK_BYTES;
    for (size_t i = 0; i < bytes; i++)
        recording.stack[i] = from[i];
    struct registers *registers = &recording.sample.registers;
    registers->values[architecture_own.ip] = ip;
    registers->values[architecture_own.sp] = sp;
    registers->values[architecture_own.fp] = fp;
    registers->valid = UINT64_C(1) << architecture_own.ip | UINT64_C(1) << architecture_own.sp |
                       UINT64_C(1) << architecture_own.fp;
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

static void frames_are_those_of_the_system_unwinder(void **state)
{
    (void)state;
    (void)descend(DEPTH);
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    assert_true(stack.count > DEPTH);
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
    assert_true(compared > DEPTH);
}

static void a_short_copy_is_truncated_and_says_so(void **state)
{
    (void)state;
    (void)descend(DEPTH);
    recording.sample.stack_bytes = 1024;
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    assert_int_equal(stack.end, STACK_END_TRUNCATED);
    assert_int_equal(stack.frames[stack.count - 1].module, 0);
    assert_int_equal(stack.frames[stack.count - 1].vaddr, STACK_END_TRUNCATED);
    assert_true(stack.count > 2); /* what was there is kept */
}

static void the_same_short_copy_of_a_short_stack_is_damaged(void **state)
{
    (void)state;
    (void)descend(DEPTH);
    recording.sample.stack_bytes = 1016;
    if ((recording.sample.registers.values[architecture_own.sp] + 1016) % 4096 == 0)
        recording.sample.stack_bytes -= 16; /* not at the end of a page */
    recording.sample.stack_cut = false;
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    assert_int_equal(stack.end, STACK_END_BAD_MEMORY);
}

static void a_copy_that_ends_at_a_page_lacks_what_was_not_in_memory(void **state)
{
    (void)state;
    (void)descend(3 * DEPTH);
    uint64_t start = recording.sample.registers.values[architecture_own.sp];
    recording.sample.stack_bytes = 4096 - start % 4096;
    recording.sample.stack_cut = false;
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    assert_int_equal(stack.end, STACK_END_NOT_PRESENT);
}

static void an_ip_outside_every_mapping_is_unmapped(void **state)
{
    (void)state;
    (void)descend(DEPTH);
    recording.sample.registers.values[architecture_own.ip] = 16;
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    assert_int_equal(stack.count, 1);
    assert_int_equal(stack.end, STACK_END_UNMAPPED);
}

/* Code of which nothing is known but that it is there. */
static const struct module bare = {
    .id = 9, .kind = MODULE_ANONYMOUS, .path = (char[]){""}, .fd = -1};

static const struct module *find_bare(void *user, uint64_t ip, uint64_t *ret_vaddr)
{
    (void)user;
    *ret_vaddr = ip;
    return ip >= 0x1000 && ip < 0x2000 ? &bare : NULL;
}

/* Two frames by frame pointer, of which the outer one saved `last_fp`. */
static void run_by_frame_pointer(uint64_t last_fp)
{
    static const struct unwind_space bare_space = {.find = find_bare, .kernel = &kernel};
    const uint64_t start = UINT64_C(0x7fff00000000);
    const uint64_t words[] = {0, 0, start + 32, 0x1100, last_fp, 0x1200, 0, 0};
    struct sample sample = {.has_user = true, .stack_bytes = sizeof words};
    sample.stack = (const unsigned char *)words;
    sample.registers.values[architecture_own.ip] = 0x1000;
    sample.registers.values[architecture_own.sp] = start;
    sample.registers.values[architecture_own.fp] = start + 16;
    sample.registers.valid = UINT64_C(1) << architecture_own.ip |
                             UINT64_C(1) << architecture_own.sp |
                             UINT64_C(1) << architecture_own.fp;
    unwinder_run(unwinder, &sample, &bare_space, &stack);
    assert_true(stack.by_frame_pointer);
}

static void a_chain_of_frame_pointers_ends_at_zero_or_where_the_stack_was_switched(void **state)
{
    (void)state;
    static const struct {
        uint64_t last_fp;
        enum stack_end end;
    } ends[] = {
        {0, STACK_END_ROOT},
        {UINT64_C(0xc000123450), STACK_END_OTHER_STACK}, /* a goroutine's */
        {UINT64_C(0xc000123451), STACK_END_NO_CFI},      /* data */
        {UINT64_MAX - 7, STACK_END_NO_CFI},              /* no user's address */
        {8, STACK_END_NO_CFI},
    };
    for (size_t i = 0; i < array_length(ends); i++) {
        run_by_frame_pointer(ends[i].last_fp);
        assert_int_equal(stack.end, ends[i].end);
        assert_int_equal(stack.count, ends[i].end == STACK_END_ROOT ? 3 : 4);
        assert_int_equal(stack.frames[2].vaddr, 0x1200);
    }
}

static void random_stacks_end_and_never_crash(void **state)
{
    (void)state;
    (void)descend(DEPTH);
    uint64_t seed = 42;
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i + 8 <= recording.sample.stack_bytes; i += 8) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            uint64_t value = seed >> 8;
            if (seed >> 62) /* mostly addresses of our own code, to be led on */
                value = self_base + value % (self_end - self_base);
            memcpy(recording.stack + i, &value, sizeof value);
        }
        recording.sample.registers.values[architecture_own.ip] =
            self_base + seed % (self_end - self_base);
        unwinder_run(unwinder, &recording.sample, &space, &stack);
        assert_in_range(stack.count, 1, STACK_FRAMES_MAX + 1);
        assert_true(stack.end < STACK_END_COUNT);
    }
}

static void kernel_frames_come_first(void **state)
{
    (void)state;
    static const uint64_t ips[] = {0xffffffff81000010, 0xffffffff81000020};
    (void)descend(DEPTH);
    recording.sample.kernel_ips = ips;
    recording.sample.kernel_ip_count = 2;
    recording.sample.in_kernel = true;
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    assert_int_equal(stack.frames[0].module, kernel.id);
    assert_int_equal(stack.frames[0].vaddr, ips[0]);
    assert_false(stack.frames[0].is_return_address);
    assert_true(stack.frames[1].is_return_address);
    assert_int_equal(stack.frames[2].module, self.id);
}

static void a_sample_without_user_registers_says_so(void **state)
{
    (void)state;
    struct sample sample = {0};
    unwinder_run(unwinder, &sample, &space, &stack);
    assert_int_equal(stack.count, 1);
    assert_int_equal(stack.end, STACK_END_NO_USER);
}

/* What musl's C library has: no call frame information. */
__asm__(".text\n"
        ".balign 16\n"
        "nop\n"
        ".type restorer, @function\n"
        "restorer:\n"
#if defined(__x86_64__)
        "mov $15, %rax\n"
        "syscall\n"
#elif defined(__aarch64__)
        "mov x8, #139\n"
        "svc #0\n"
#endif
        ".size restorer, . - restorer\n");

void restorer(void) __asm__("restorer");

/* The kernel's struct sigaction: the C library would put in a restorer of its own. */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

#define KERNEL_SA_RESTORER 0x04000000

static uint64_t interrupted, interrupted_caller;

static void on_signal(int number)
{
    (void)number;
    record();
}

/* Sends itself a signal by an instruction of its own. */
__attribute__((noinline, no_sanitize("address"))) static void interrupt_oneself(void)
{
    interrupted_caller = (uint64_t)(uintptr_t)__builtin_return_address(0);
    const pid_t pid = getpid(); /* no call once registers are set */
#if defined(__x86_64__)
    long number = SYS_kill;
    __asm__ volatile("leaq 1f(%%rip), %%rcx\nmovq %%rcx, %0\nsyscall\n1:"
                     : "=m"(interrupted), "+a"(number)
                     : "D"(pid), "S"(SIGUSR1)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = SYS_kill, x0 __asm__("x0") = pid;
    register long x1 __asm__("x1") = SIGUSR1;
    __asm__ volatile("adr x2, 1f\nstr x2, %0\nsvc #0\n1:"
                     : "=m"(interrupted), "+r"(x0)
                     : "r"(x8), "r"(x1)
                     : "x2", "memory");
#endif
}

static void a_handler_without_cfi_behind_it_is_left_by_what_the_kernel_saved(void **state)
{
    (void)state;
    static volatile struct kernel_action action = {on_signal, KERNEL_SA_RESTORER, restorer, 0};
    assert_int_equal(syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, sizeof action.mask), 0);
    memset(&recording, 0, sizeof recording);
    interrupt_oneself();
    assert_true(interrupted && recording.sample.has_user);
    unwinder_run(unwinder, &recording.sample, &space, &stack);
    size_t i = 0;
    while (i < stack.count && stack.frames[i].vaddr != interrupted - self_base)
        i++;
    assert_in_range(i, 2, stack.count - 2);
    assert_int_equal(stack.frames[i - 1].vaddr, (uint64_t)(uintptr_t)action.restorer - self_base);
    assert_false(stack.frames[i].is_return_address);
    assert_int_equal(stack.frames[i + 1].vaddr, interrupted_caller - self_base);
    assert_true(stack.frames[i + 1].is_return_address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_those_of_the_system_unwinder),
        cmocka_unit_test(a_short_copy_is_truncated_and_says_so),
        cmocka_unit_test(the_same_short_copy_of_a_short_stack_is_damaged),
        cmocka_unit_test(an_ip_outside_every_mapping_is_unmapped),
        cmocka_unit_test(a_copy_that_ends_at_a_page_lacks_what_was_not_in_memory),
        cmocka_unit_test(a_chain_of_frame_pointers_ends_at_zero_or_where_the_stack_was_switched),
        cmocka_unit_test(random_stacks_end_and_never_crash),
        cmocka_unit_test(kernel_frames_come_first),
        cmocka_unit_test(a_sample_without_user_registers_says_so),
        cmocka_unit_test(a_handler_without_cfi_behind_it_is_left_by_what_the_kernel_saved),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
