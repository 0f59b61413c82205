/* Seizes the threads of a process (ptrace(2)), also those that it creates meanwhile. */
#include "capture/ptrace_seize.h"

#include <errno.h>
#include <unistd.h>

#include "capture/ptrace_refusal.h"
#include "capture/target_threads.h"
#include "lprofd/privilege.h"

#define PASSES_MAX 100

struct pass {
    struct traced_threads *threads;
    int seized;
    int refusal; /* of the last thread that may not be traced */
};

static int seize_thread(void *user, pid_t tid)
{
    struct pass *pass = user;
    if (traced_threads_find(pass->threads, tid))
        return 0;
    int error = privilege_ptrace_seize(tid);
    /* A thread that a seized one has just created is traced by us from birth. */
    if (error == -EPERM && ptrace_tracer_of(pass->threads->pid, tid) == gettid())
        error = 0;
    if (error == -EPERM) { /* also of a thread that is ending */
        pass->refusal = error;
        return 0;
    }
    if (!error)
        error = traced_threads_add(pass->threads, tid);
    pass->seized += !error;
    return error;
}

/* Threads may be created meanwhile, so until a pass finds nothing new. */
int ptrace_seize(struct traced_threads *threads, const struct cancel *cancel)
{
    struct pass pass;
    int passes = 0;
    do {
        pass = (struct pass){.threads = threads};
        int error = target_threads_each(threads->pid, cancel, seize_thread, &pass);
        if (error)
            return error;
    } while (pass.seized > 0 && ++passes < PASSES_MAX);
    if (threads->count > 0)
        return 0;
    return pass.refusal ? pass.refusal : -ESRCH;
}
