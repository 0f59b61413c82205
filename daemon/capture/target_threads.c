/* The threads that a process has. */
#include "capture/target_threads.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "lprofd/privilege.h"

int target_threads_each(pid_t pid, const struct cancel *cancel, target_thread_fn *on_thread,
                        void *user)
{
    _cleanup_close_ int fd = -1;
    int error = privilege_open_proc(pid, 0, PROC_TASK, &fd);
    if (error)
        return error == -ENOENT ? -ESRCH : error;
    DIR *directory = fdopendir(fd);
    if (!directory)
        return -errno;
    (void)take_fd(&fd);
    const struct dirent *entry;
    while (!error && (entry = readdir(directory))) {
        pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (cancel_is_wanted(cancel))
            error = -ECANCELED;
        else if (tid > 0)
            error = on_thread(user, tid);
        if (error == -ESRCH)
            error = 0;
    }
    closedir(directory);
    return error;
}
