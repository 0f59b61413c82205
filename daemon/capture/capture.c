/* The choice among the capture backends. */
#include "capture/capture.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
    const struct capture_ops *ops;
    const char *reason; /* why "auto" arrives here */
} backends[] = {
    {&capture_perf_cpu, "perf events per CPU with a BPF filter work: cheapest for the target"},
    {&capture_ptrace, "perf events or BPF were refused: ptrace stops the target for each sample"},
};

int capture_open(const char *name, const struct capture_options *options,
                 struct capture **ret_capture, const char **ret_reason, struct failure *ret_failure)
{
    bool automatic = strcmp(name, "auto") == 0;
    int error = -EINVAL;
    for (size_t i = 0; i < array_length(backends); i++) {
        if (!automatic && strcmp(name, backends[i].ops->name) != 0)
            continue;
        error = backends[i].ops->open(options, ret_capture, ret_failure);
        if (!error) {
            *ret_reason = automatic ? backends[i].reason : "asked for with --backend";
            return 0;
        }
        /* An event that does not exist stays the answer; only a refusal leads further. */
        if (automatic && error != -EPERM && error != -EACCES && error != -ENOSYS)
            return error;
    }
    return error == -EINVAL
               ? failure_set(ret_failure, error,
                             "there is no backend %s: use auto, perf-cpu or ptrace", name)
               : error;
}
