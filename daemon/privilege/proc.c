/* Opens files under /proc. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lprofd/privilege.h"
#include "privilege/living.h"

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

/* What the threads of a process share, or should agree in; the others are of one thread. */
static bool is_of_any_thread(enum proc_file file)
{
    return file == PROC_STATUS || file == PROC_MAPS || file == PROC_CMDLINE || file == PROC_EXE;
}

int privilege_open_proc(pid_t pid, pid_t tid, enum proc_file file, int *ret_fd)
{
    if (pid <= 0 || tid < 0)
        return -ESRCH;
    if (file >= PROC_FILE_COUNT || (file == PROC_TASK && tid > 0))
        return -EINVAL;
    if (tid == 0 && is_of_any_thread(file))
        return living_open(pid, proc_names[file], O_RDONLY, ret_fd);
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
    return living_read_link(pid, "exe", bytes, ret_path);
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
