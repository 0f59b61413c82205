/* What is remembered of a target, so that its files can be opened as itself. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "lprofd/privilege.h"
#include "privilege/status.h"
#include "privilege/target_rights.h"

#define NOBODY 65534
#define GROUPS_MAX 65536 /* NGROUPS_MAX of the kernel */

static void target_cleanup(struct target **target)
{
    target_free(*target);
}

/* The id if real, effective, saved and file-system ids agree; a set-id program is nobody. */
static int parse_ids(const char *status, const char *name, uint32_t *ret_id, bool *ret_mixed)
{
    const char *line = status_field(status, name);
    unsigned long ids[4];
    if (!line || status_numbers(line, ids, array_length(ids)) != array_length(ids))
        return -EIO;
    bool mixed = ids[0] != ids[1] || ids[0] != ids[2] || ids[0] != ids[3];
    *ret_id = mixed ? NOBODY : (uint32_t)ids[0];
    *ret_mixed |= mixed;
    return 0;
}

static int parse_groups(const char *status, struct target *target)
{
    const char *line = status_field(status, "Groups:");
    if (!line)
        return -EIO;
    size_t capacity = 0;
    unsigned long group;
    for (const char *next = line; status_numbers(next, &group, 1) == 1;) {
        if (target->group_count == GROUPS_MAX)
            return -E2BIG;
        int error = array_reserve(&target->groups, &capacity, target->group_count + 1,
                                  sizeof *target->groups);
        if (error)
            return error;
        target->groups[target->group_count++] = (gid_t)group;
        next += strspn(next, " \t");
        next += strspn(next, "0123456789");
    }
    return 0;
}

/* The last of NSpid is the innermost; kernels without it, or that number, know only one. */
static void read_inner_pid(const char *status, struct target *target)
{
    unsigned long pids[33]; /* MAX_PID_NS_LEVEL of the kernel, and its own */
    const char *line = status_field(status, "NSpid:");
    size_t count = line ? status_numbers(line, pids, array_length(pids)) : 0;
    target->inner_pid = count ? (pid_t)pids[count - 1] : target->pid;
}

static int read_user(struct target *target)
{
    _cleanup_free_ char *status = NULL;
    int error = status_read(target->pid, &status);
    if (error)
        return error == -ENOENT ? -ESRCH : error;
    read_inner_pid(status, target);
    bool mixed = false;
    error = parse_ids(status, "Uid:", &target->uid, &mixed);
    if (!error)
        error = parse_ids(status, "Gid:", &target->gid, &mixed);
    if (!error && !mixed) /* the groups of whoever started a set-id program are not its own */
        error = parse_groups(status, target);
    return error;
}

/* The same directory in the same mount namespace. */
static bool is_own_root(pid_t pid, int root_fd)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", pid);
    struct stat own, theirs, own_mounts, their_mounts;
    return fstat(root_fd, &theirs) == 0 && stat("/", &own) == 0 && stat(path, &their_mounts) == 0 &&
           stat("/proc/self/ns/mnt", &own_mounts) == 0 && own.st_dev == theirs.st_dev &&
           own.st_ino == theirs.st_ino && own_mounts.st_ino == their_mounts.st_ino;
}

/* Only a chroot has one. What cannot be read is taken for none: paths stay as they are shown. */
static int read_root_path(struct target *target)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/%d/root", target->pid);
    ssize_t length = readlink(link, path, sizeof path);
    if (length <= 1 || (size_t)length >= sizeof path || path[0] != '/')
        return 0;
    target->root_path = strndup(path, (size_t)length);
    return target->root_path ? 0 : -ENOMEM;
}

static int open_root(struct target *target)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/root", target->pid);
    target->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (target->root_fd >= 0) {
        target->own_root = is_own_root(target->pid, target->root_fd);
        return 0;
    }
    if (errno == ENOENT || errno == ESRCH) /* a zombie has no root any more */
        return -ESRCH;
    if ((errno == EACCES || errno == EPERM) && (geteuid() == 0 || target->uid == geteuid())) {
        target->own_root = true;
        return 0;
    }
    return -errno;
}

int target_open(pid_t pid, struct target **ret_target)
{
    if (pid <= 0)
        return -ESRCH;
    _cleanup_(target_cleanup) struct target *target = calloc(1, sizeof *target);
    if (!target)
        return -ENOMEM;
    target->pid = pid;
    target->root_fd = -1;
    target->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    target->is_other = calloc(1, sizeof *target->is_other);
    if (!target->is_other)
        return -ENOMEM;
    int error = read_user(target);
    if (!error)
        error = open_root(target);
    if (!error)
        error = read_root_path(target);
    if (error)
        return error;
    *ret_target = take_pointer(target);
    return 0;
}

static bool has_ended(const struct target *target)
{
    struct pollfd poll_fd = {.fd = target->pidfd, .events = POLLIN};
    return target->pidfd >= 0 && poll(&poll_fd, 1, 0) > 0;
}

void target_look_again(const struct target *target)
{
    _cleanup_free_ char *status = NULL;
    uint32_t uid, gid;
    bool mixed = false;
    if (!target->is_other || atomic_load(target->is_other) || status_read(target->pid, &status))
        return;
    if (parse_ids(status, "Uid:", &uid, &mixed) || parse_ids(status, "Gid:", &gid, &mixed))
        return;
    /* Only now, so that what was read is the target's and not that of a successor of its pid. */
    if ((uid != target->uid || gid != target->gid) && !has_ended(target))
        atomic_store(target->is_other, true);
}

struct target target_rights(const struct target *target)
{
    struct target rights = *target;
    target_look_again(target);
    if (target->is_other && atomic_load(target->is_other)) {
        rights.uid = rights.gid = NOBODY;
        rights.groups = NULL;
        rights.group_count = 0;
    }
    return rights;
}

uid_t privilege_target_user(const struct target *target)
{
    return target_rights(target).uid;
}

void target_free(struct target *target)
{
    if (!target)
        return;
    if (target->root_fd >= 0)
        close(target->root_fd);
    if (target->pidfd >= 0)
        close(target->pidfd);
    free(target->is_other);
    free(target->groups);
    free(target->root_path);
    free(target);
}
