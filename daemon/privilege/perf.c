/* Opens perf events. */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lprofd/privilege.h"

int privilege_open_perf_event(const struct perf_event_attr *attributes, pid_t pid, int cpu,
                              int *ret_fd)
{
    long fd = syscall(SYS_perf_event_open, attributes, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return -errno;
    *ret_fd = (int)fd;
    return 0;
}
