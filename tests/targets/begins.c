/*
 * A program without a C library, whose first function is C: the kernel jumps to begin(), which has
 * call frame information as if it had been called. It ends after 300 seconds.
 */
#include <sys/syscall.h>
#include <sys/time.h>

#include "target.h"

#define UNIT 400000

#if defined(__x86_64__)
static void call_kernel(long number, long first, const void *second, long third)
{
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
}
#elif defined(__aarch64__)
static void call_kernel(long number, long first, const void *second, long third)
{
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = first, x2 __asm__("x2") = third;
    register const void *x1 __asm__("x1") = second;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
}
#endif

static OPAQUE uint64_t work(uint64_t value)
{
    WORK(value, UNIT);
    return value;
}

void begin(void);

void begin(void)
{
    static const struct itimerval end = {.it_value = {.tv_sec = 300}};
    static const char ready[] = "ready\n";
    call_kernel(SYS_setitimer, ITIMER_REAL, &end, 0);
    call_kernel(SYS_write, STDOUT_FILENO, ready, sizeof ready - 1);
    for (uint64_t value = 1;;) {
        value = work(value); /* known: call */
        BARRIER(value);
    }
}
