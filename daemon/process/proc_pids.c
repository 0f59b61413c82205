/* Reads the names in /proc that are numbers. */
#include "process/proc_pids.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "lprofd/privilege.h"

int proc_pids(pid_t **ret_pids, size_t *ret_count)
{
    int fd = -1;
    int error = privilege_open_proc_root(&fd);
    if (error)
        return error;
    _cleanup_directory_ DIR *directory = fdopendir(fd);
    if (!directory) {
        close(fd);
        return -ENOMEM;
    }
    _cleanup_free_ pid_t *pids = NULL;
    size_t count = 0, capacity = 0;
    for (const struct dirent *item; (item = readdir(directory));) {
        char *rest;
        long pid = strtol(item->d_name, &rest, 10);
        if (pid <= 0 || *rest != '\0')
            continue;
        if (array_reserve(&pids, &capacity, count + 1, sizeof *pids))
            return -ENOMEM;
        pids[count++] = (pid_t)pid;
    }
    *ret_pids = take_pointer(pids);
    *ret_count = count;
    return 0;
}
