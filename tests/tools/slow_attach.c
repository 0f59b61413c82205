/*
 * slow_attach.so, for LD_PRELOAD: each thread that a program attaches to, by ptrace(2) or with a
 * perf event, takes ATTACH_MS milliseconds, as where many busy threads share few CPUs.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>

static long (*real_ptrace)(int request, ...);
static long (*real_syscall)(long number, ...);
static struct timespec delay;

/* A function pointer from dlsym(3) without a cast that ISO C lacks. */
static void find(const char *name, void *ret_function)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol)
        abort(); /* the test would show nothing */
    memcpy(ret_function, &symbol, sizeof symbol);
}

__attribute__((constructor)) static void find_real(void)
{
    const char *ms = getenv("ATTACH_MS");
    long delay_ms = ms ? strtol(ms, NULL, 10) : 0;
    delay = (struct timespec){delay_ms / 1000, delay_ms % 1000 * 1000000};
    find("ptrace", &real_ptrace);
    find("syscall", &real_syscall);
}

/* Whatever signals come. */
static void pass_time(void)
{
    struct timespec left = delay;
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

long ptrace(enum __ptrace_request request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    pid_t tid = va_arg(arguments, pid_t);
    void *address = va_arg(arguments, void *);
    void *data = va_arg(arguments, void *);
    va_end(arguments);
    if (request == PTRACE_SEIZE)
        pass_time();
    return real_ptrace(request, tid, address, data);
}

#define ARGUMENTS 6 /* that a system call has at most */

long syscall(long number, ...)
{
    long given[ARGUMENTS];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < ARGUMENTS; i++)
        given[i] = va_arg(arguments, long);
    va_end(arguments);
    if (number == SYS_perf_event_open && (pid_t)given[1] > 0)
        pass_time();
    return real_syscall(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}
