/* Opens the directory that lprofd keeps for itself on disk, and the files in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/negative_errno.h"
#include "lprofd/privilege.h"

#define OTHERS_RIGHTS 0077

/* Whoever else could write to it could tell lies, and whoever else can read it learns of programs.
 */
static bool is_ours_alone(const struct stat *status)
{
    return status->st_uid == geteuid() && (status->st_mode & OTHERS_RIGHTS) == 0;
}

/* The directory and those above it, as mkdir(1) -p does. */
static int make_directories(const char *path)
{
    _cleanup_free_ char *partial = strdup(path);
    if (!partial)
        return -ENOMEM;
    for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(partial, 0700) && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return mkdir(partial, 0700) && errno != EEXIST ? -errno : 0;
}

int privilege_open_cache(const char *path, bool make, int *ret_directory_fd)
{
    struct stat status;
    if (path[0] != '/')
        return -EINVAL;
    int error = make ? make_directories(path) : 0;
    if (error)
        return error;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status))
        return negative_errno();
    if (!is_ours_alone(&status))
        return -EPERM;
    *ret_directory_fd = take_fd(&fd);
    return 0;
}

int privilege_list_cache(int directory_fd, int *ret_fd)
{
    int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

/* Of a FIFO there is nothing to wait for, and a device is only opened if somebody put it there. */
int privilege_open_cached(int directory_fd, const char *name, int *ret_fd)
{
    struct stat status;
    if (strchr(name, '/'))
        return -EINVAL;
    _cleanup_close_ int fd =
        openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status))
        return negative_errno();
    if (!S_ISREG(status.st_mode) || status.st_nlink != 1 || !is_ours_alone(&status))
        return -EPERM;
    *ret_fd = take_fd(&fd);
    return 0;
}

int privilege_create_cached(int directory_fd, const char *name, int *ret_fd)
{
    if (strchr(name, '/'))
        return -EINVAL;
    int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}
