/* Threads that a tick found runnable only because they had just been woken. */
#include "capture/ptrace_woken.h"

#include <errno.h>
#include <string.h>

#include "lprofd/architecture.h"
#include "lprofd/privilege.h"

/* The instruction before is a system call: the kernel was entered by it, or has just been left. */
static bool is_in_system_call(const struct traced_thread *thread, const struct sample *sample)
{
    const struct signal_trampoline *trampoline = &architecture_own.trampoline;
    size_t length = (size_t)trampoline->code_bytes - trampoline->second;
    uint8_t code[sizeof trampoline->code];
    return sample->has_user &&
           privilege_read_memory(thread->tid,
                                 sample->registers.values[architecture_own.ip] - length, code,
                                 length) == 0 &&
           memcmp(code, trampoline->code + trampoline->second, length) == 0;
}

/*
 * The stop made the system call give up, which only those do that sleep, or were about to. The
 * kernel's include/linux/errno.h: ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, (ENOIOCTLCMD,)
 * ERESTART_RESTARTBLOCK. DWARF's register 0 has what is returned, on x86-64 as on aarch64.
 */
static bool is_interrupted(const struct sample *sample)
{
    int64_t returned = (int64_t)sample->registers.values[0];
    return returned == -EINTR || (returned <= -512 && returned >= -516);
}

/* Every stop counts as a sleep, too. What was before the first look is taken for one. */
static bool has_slept_since_last_look(const struct traced_threads *threads,
                                      struct traced_thread *thread)
{
    uint64_t sleeps;
    if (traced_thread_read_sleeps(threads, thread, &sleeps))
        return false;
    bool has_slept = sleeps - thread->sleeps > thread->stops;
    thread->sleeps = sleeps;
    thread->stops = 0;
    return has_slept;
}

bool ptrace_woken_only(const struct traced_threads *threads, struct traced_thread *thread,
                       const struct thread_run *run, const struct sample *sample)
{
    if (!is_in_system_call(thread, sample))
        return false;
    return is_interrupted(sample) ||
           (run->slices != thread->slices_at_tick && has_slept_since_last_look(threads, thread));
}
