/* The choice among the capture backends. */
#include "capture/capture.h"

#include <errno.h>
#include <string.h>

#define PER_TASK                                                                                   \
    ": perf events per thread and CPU, which cost the target a little at each context switch"
#define PER_THREAD ": perf events per thread, which miss the first moments of new threads"
#define STOPPING ": ptrace, which stops the target for each sample"

const struct capture_choice capture_choices[CAPTURE_CHOICES] = {
    {
        .ops = &capture_perf_cpu,
        .follows = true,
        .refused = "perf events per CPU with a BPF filter work: they cost the target least",
    },
    {
        .ops = &capture_perf_task,
        .follows = true,
        .usual = -EPERM,
        .refused = "a BPF filter was refused" PER_TASK,
        .lacks_files = "too few files may be open for a BPF filter" PER_TASK,
        .lacks_memory = "too little memory may be locked for a BPF filter" PER_TASK,
    },
    {
        .ops = &capture_perf_thread,
        .usual = -EMFILE,
        .refused = "perf events that new threads inherit were refused" PER_THREAD,
        .lacks_files = "too few files may be open for an event per thread and CPU" PER_THREAD,
        .lacks_memory = "too little memory may be locked for a ring per CPU" PER_THREAD,
    },
    {
        .ops = &capture_ptrace,
        .usual = -EPERM,
        .refused = "perf events were refused" STOPPING,
        .lacks_files = "too few files may be open for perf events" STOPPING,
        .lacks_memory = "too little memory may be locked for perf events" STOPPING,
    },
};

const char *capture_reason(const struct capture_choice *choice, int error)
{
    if (error == -EMFILE && choice->lacks_files)
        return choice->lacks_files;
    return error == -ENOBUFS && choice->lacks_memory ? choice->lacks_memory : choice->refused;
}

/* Errors after which the next backend may still work: refusals, and too tight limits. */
static bool may_try_next(int error)
{
    return error == -EPERM || error == -EACCES || error == -ENOSYS || error == -EMFILE ||
           error == -ENOBUFS || error == -EINVAL;
}

int capture_open(const char *name, const struct capture_options *options,
                 struct capture **ret_capture, const char **ret_reason, struct failure *ret_failure)
{
    bool automatic = strcmp(name, "auto") == 0;
    int error = failure_set(ret_failure, -EINVAL, "there is no backend %s", name), before = 0;
    for (size_t i = 0; i < CAPTURE_CHOICES; i++) {
        if (!automatic && strcmp(name, capture_choices[i].ops->name) != 0)
            continue;
        if (options->follow && !capture_choices[i].follows) {
            if (!error || !automatic)
                error = failure_set(ret_failure, -ENOTSUP,
                                    "backend %s cannot follow children: leave --follow out, or "
                                    "use perf-cpu or perf-task",
                                    capture_choices[i].ops->name);
            continue;
        }
        error = capture_choices[i].ops->open(options, ret_capture, ret_failure);
        if (!error) {
            *ret_reason = automatic ? capture_reason(&capture_choices[i], before)
                                    : "asked for with --backend";
            return 0;
        }
        before = error;
        if (automatic && !may_try_next(error))
            return error;
    }
    return error;
}
