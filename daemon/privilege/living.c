/* Opens files of /proc/PID by a thread that lives. */
#include "privilege/living.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/negative_errno.h"
#include "base/proc_stat.h"
#include "lprofd/privilege.h"

#define EXITING_FLAG 0x00000004 /* PF_EXITING of the kernel's linux/sched.h */

/* Threads may end while they are gone through, others begin, or one becomes the main one (exec). */
#define LOOKS_MAX 3

/* Below /proc: what is not there is of a thread that ended. */
static int open_at(int directory_fd, const char *path, int flags, int *ret_fd)
{
    int fd = openat(directory_fd, path, flags | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : negative_errno();
    *ret_fd = fd;
    return 0;
}

/* A directory that is open is of that process or thread alone, whoever has its id by now. */
static int open_directory(pid_t id, int *ret_fd)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", id);
    return open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY, ret_fd);
}

/*
 * 0 or -ESRCH. A thread that ends has the flag before it gives up anything, and is a zombie only
 * afterwards: what was opened before a look that does not see the flag is whole.
 */
static int check_thread(int process_fd, pid_t tid)
{
    char path[32], text[1024];
    _cleanup_close_ int fd = -1;
    snprintf(path, sizeof path, "task/%d/stat", tid);
    int error = open_at(process_fd, path, O_RDONLY, &fd);
    if (error)
        return error;
    ssize_t length = read(fd, text, sizeof text - 1);
    if (length < 0)
        return negative_errno();
    text[length] = '\0';
    struct proc_stat stat;
    if (proc_stat_parse(text, &stat))
        return -EIO;
    return stat.state == 'Z' || stat.state == 'X' || (stat.flags & EXITING_FLAG) ? -ESRCH : 0;
}

/* `directory_fd` is the thread's. */
static int open_by_thread(int process_fd, pid_t tid, int directory_fd, const char *name, int flags,
                          int *ret_fd)
{
    _cleanup_close_ int fd = openat(directory_fd, name, flags | O_CLOEXEC | O_NOCTTY);
    int open_error = fd < 0 ? negative_errno() : 0;
    int error = check_thread(process_fd, tid); /* a thread that ended has no files, or empty ones */
    if (!error)
        error = open_error;
    if (!error)
        *ret_fd = take_fd(&fd);
    return error;
}

/*
 * The id may be another process's at any time. When the process has that thread after the directory
 * was opened, the directory is of this thread, or of one that has ended and has no files.
 */
static int open_by_other(int process_fd, pid_t tid, const char *name, int flags, int *ret_fd)
{
    _cleanup_close_ int directory_fd = -1;
    int error = open_directory(tid, &directory_fd);
    if (!error)
        error = check_thread(process_fd, tid);
    return error ? error : open_by_thread(process_fd, tid, directory_fd, name, flags, ret_fd);
}

static int open_by_others(int process_fd, pid_t pid, const char *name, int flags, int *ret_fd)
{
    _cleanup_close_ int fd = -1;
    int error = open_at(process_fd, "task", O_RDONLY | O_DIRECTORY, &fd);
    if (error)
        return error;
    _cleanup_directory_ DIR *directory = fdopendir(fd);
    if (!directory)
        return negative_errno();
    (void)take_fd(&fd);
    const struct dirent *item;
    error = -ESRCH;
    while (error == -ESRCH && (item = readdir(directory))) {
        pid_t tid = (pid_t)strtol(item->d_name, NULL, 10);
        if (tid > 0 && tid != pid)
            error = open_by_other(process_fd, tid, name, flags, ret_fd);
    }
    return error;
}

int living_open(pid_t pid, const char *name, int flags, int *ret_fd)
{
    _cleanup_close_ int process_fd = -1;
    int error = open_directory(pid, &process_fd);
    if (error)
        return error;
    error = -ESRCH;
    for (int looks = 0; error == -ESRCH && looks < LOOKS_MAX; looks++) {
        error = open_by_thread(process_fd, pid, process_fd, name, flags, ret_fd);
        if (error == -ESRCH)
            error = open_by_others(process_fd, pid, name, flags, ret_fd);
    }
    return error;
}

int living_read_link(pid_t pid, const char *name, size_t bytes, char *ret_text)
{
    char text[4096];
    _cleanup_close_ int fd = -1;
    int error = living_open(pid, name, O_PATH | O_NOFOLLOW, &fd);
    if (error)
        return error;
    ssize_t length = readlinkat(fd, "", text, sizeof text);
    if (length < 0)
        return negative_errno();
    if ((size_t)length >= sizeof text || (size_t)length >= bytes)
        return -ENAMETOOLONG;
    memcpy(ret_text, text, (size_t)length);
    ret_text[length] = '\0';
    return 0;
}

int privilege_check_living(pid_t pid)
{
    _cleanup_close_ int fd = -1;
    return pid > 0 ? living_open(pid, "stat", O_PATH, &fd) : -ESRCH;
}
