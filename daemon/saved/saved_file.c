/* The file of a saved profile: replaced as a whole, or left as it was. */
#include "saved/saved_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/negative_errno.h"
#include "base/write_all.h"

/* A profile is rarely smaller: a disk without that much room is a full one. */
#define ROOM_BYTES (1 << 20)

static int cannot_save(struct failure *failure, const char *path, int error)
{
    return failure_set(failure, error, "cannot save to %s: %s", path,
                       error == -ENOENT ? "its folder does not exist" : strerror(-error));
}

/* A new file beside `path`, for its owner alone. */
static int open_beside(const char *path, char **ret_name, int *ret_fd)
{
    _cleanup_free_ char *name = NULL;
    if (asprintf(&name, "%s.XXXXXX", path) < 0) {
        name = NULL;
        return -ENOMEM;
    }
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return negative_errno();
    *ret_name = take_pointer(name);
    *ret_fd = fd;
    return 0;
}

/* Devices and the like would be replaced by a file. A symbolic link is replaced, too. */
static int check_existing(const char *path, struct failure *failure)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : cannot_save(failure, path, negative_errno());
    if (S_ISREG(status.st_mode) || S_ISLNK(status.st_mode))
        return 0;
    return failure_set(failure, -EINVAL, "cannot save to %s: that is there, and is not a file",
                       path);
}

/* Opens what is to become the file, beside it. */
static int begin(const char *path, char **ret_name, int *ret_fd, struct failure *ret_failure)
{
    int error = check_existing(path, ret_failure);
    if (error)
        return error;
    error = open_beside(path, ret_name, ret_fd);
    if (error)
        cannot_save(ret_failure, path, error);
    return error;
}

int saved_file_check(const char *path, struct failure *ret_failure)
{
    _cleanup_free_ char *name = NULL;
    _cleanup_close_ int fd = -1;
    int error = begin(path, &name, &fd, ret_failure);
    if (error)
        return error;
    error = -posix_fallocate(fd, 0, ROOM_BYTES);
    unlink(name);
    /* Some file systems cannot say. */
    return error && error != -EOPNOTSUPP && error != -EINVAL ? cannot_save(ret_failure, path, error)
                                                             : 0;
}

/* The new name is on disk, too, once the folder is. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    _cleanup_close_ int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0)
        (void)fsync(fd);
}

int saved_file_write(const char *path, const void *bytes, size_t length,
                     struct failure *ret_failure)
{
    _cleanup_free_ char *name = NULL;
    _cleanup_close_ int fd = -1;
    int error = begin(path, &name, &fd, ret_failure);
    if (error)
        return error;
    error = write_all(fd, bytes, length);
    if (!error && fsync(fd) < 0)
        error = negative_errno();
    if (!error && rename(name, path) < 0)
        error = negative_errno();
    if (error) {
        unlink(name);
        return cannot_save(ret_failure, path, error);
    }
    sync_folder(path);
    return 0;
}

static int read_all(int fd, unsigned char *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t count = read(fd, bytes + done, length - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? negative_errno() : -EIO; /* it has just become shorter */
        done += (size_t)count;
    }
    return 0;
}

int saved_file_read(const char *path, uint64_t limit_bytes, unsigned char **ret_bytes,
                    size_t *ret_length, struct failure *ret_failure)
{
    /* A pipe without a writer would be waited for. */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return failure_set(ret_failure, negative_errno(), "cannot open %s: %s", path,
                           strerror(errno));
    if (!S_ISREG(status.st_mode))
        return failure_set(ret_failure, -EINVAL, "%s is not a file", path);
    if ((uint64_t)status.st_size > limit_bytes)
        return failure_set(ret_failure, -EFBIG,
                           "%s is larger than %" PRIu64 " MB: raise --memory-limit", path,
                           limit_bytes >> 20);
    size_t length = (size_t)status.st_size;
    _cleanup_free_ unsigned char *bytes = malloc(length + 1);
    if (!bytes)
        return failure_set(ret_failure, -ENOMEM, "cannot read %s: out of memory", path);
    int error = read_all(fd, bytes, length);
    if (error)
        return failure_set(ret_failure, error, "cannot read %s: %s", path, strerror(-error));
    *ret_bytes = take_pointer(bytes);
    *ret_length = length;
    return 0;
}
