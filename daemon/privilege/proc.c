/* Opens files under /proc. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lprofd/privilege.h"

static const char *const proc_names[PROC_FILE_COUNT] = {
    [PROC_STAT] = "stat", [PROC_STATUS] = "status",   [PROC_MAPS] = "maps",
    [PROC_COMM] = "comm", [PROC_CMDLINE] = "cmdline", [PROC_SCHEDSTAT] = "schedstat",
    [PROC_EXE] = "exe",   [PROC_TASK] = "task",
};

static int open_path(const char *path, int flags, int *ret_fd)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

int privilege_open_proc(pid_t pid, pid_t tid, enum proc_file file, int *ret_fd)
{
    if (pid <= 0 || tid < 0)
        return -ESRCH;
    if (file >= PROC_FILE_COUNT || (file == PROC_TASK && tid > 0))
        return -EINVAL;
    char path[64];
    if (tid > 0)
        snprintf(path, sizeof path, "/proc/%d/task/%d/%s", pid, tid, proc_names[file]);
    else
        snprintf(path, sizeof path, "/proc/%d/%s", pid, proc_names[file]);
    return open_path(path, file == PROC_TASK ? O_DIRECTORY : 0, ret_fd);
}

int privilege_open_proc_root(int *ret_fd)
{
    return open_path("/proc", O_DIRECTORY, ret_fd);
}

int privilege_open_kallsyms(int *ret_fd)
{
    return open_path("/proc/kallsyms", 0, ret_fd);
}

int privilege_read_exe_link(pid_t pid, size_t bytes, char *ret_path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/exe", pid);
    char path[4096];
    ssize_t length = readlink(link, path, sizeof path);
    if (length < 0)
        return -errno;
    if ((size_t)length >= sizeof path || (size_t)length >= bytes)
        return -ENAMETOOLONG;
    snprintf(ret_path, bytes, "%.*s", (int)length, path);
    return 0;
}

int privilege_read_cpu_time(pid_t pid, uint64_t *ret_ns)
{
    if (pid <= 0) /* 0 would mean lprofd itself */
        return -ESRCH;
    clockid_t clock;
    int error = clock_getcpuclockid(pid, &clock);
    if (error)
        return -error;
    struct timespec now;
    if (clock_gettime(clock, &now) < 0)
        return errno == EINVAL ? -ESRCH : -errno;
    *ret_ns = (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
    return 0;
}
