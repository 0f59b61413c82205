/* The choice among the capture backends. */
#include "capture/capture.h"

#include <errno.h>
#include <string.h>

const struct capture_choice capture_choices[CAPTURE_CHOICES] = {
    {&capture_perf_cpu, true,
     "perf events per CPU with a BPF filter work: they cost the target least"},
    {&capture_perf_task, true,
     "a BPF filter was refused: perf events per thread and CPU, which cost the "
     "target a little at each context switch"},
    {&capture_perf_thread, false,
     "there are too many threads for events on every CPU: perf events per "
     "thread, which miss the first moments of new threads"},
    {&capture_ptrace, false,
     "perf events were refused: ptrace, which stops the target for each sample"},
};

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
    int error = failure_set(ret_failure, -EINVAL, "there is no backend %s", name);
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
            *ret_reason = automatic ? capture_choices[i].reason : "asked for with --backend";
            return 0;
        }
        if (automatic && !may_try_next(error))
            return error;
    }
    return error;
}
