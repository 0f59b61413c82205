/* What is remembered of a target, so that its files can be opened as itself. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/negative_errno.h"
#include "lprofd/privilege.h"
#include "privilege/living.h"
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

/* The last of NStgid is the innermost; kernels without it, or that number, know only one. */
static void read_inner_pid(const char *status, struct target *target)
{
    unsigned long pids[33]; /* MAX_PID_NS_LEVEL of the kernel, and its own */
    const char *line = status_field(status, "NStgid:");
    size_t count = line ? status_numbers(line, pids, array_length(pids)) : 0;
    target->inner_pid = count ? (pid_t)pids[count - 1] : target->pid;
}

/* With any of them it may have the right to become somebody else; without, it never gets it. */
static bool has_capabilities(const char *status)
{
    const char *line = status_field(status, "CapPrm:");
    return !line || strtoull(line, NULL, 16) != 0;
}

static int read_user(struct target *target)
{
    _cleanup_free_ char *status = NULL;
    int error = status_read(target->pid, &status);
    if (error)
        return error == -ENOENT ? -ESRCH : error;
    read_inner_pid(status, target);
    target->may_change = has_capabilities(status);
    bool mixed = false;
    error = parse_ids(status, "Uid:", &target->uid, &mixed);
    if (!error)
        error = parse_ids(status, "Gid:", &target->gid, &mixed);
    if (!error && !mixed) /* the groups of whoever started a set-id program are not its own */
        error = parse_groups(status, target);
    return error;
}

/* What may not be known is no error. */
static int read_mounts(struct target *target)
{
    struct stat status;
    _cleanup_close_ int fd = -1;
    int error = living_open(target->pid, "ns/mnt", O_PATH, &fd);
    if (!error && fstat(fd, &status) == 0)
        target->mounts = status.st_ino;
    return lacks_descriptors(error) ? error : 0;
}

static bool is_same_directory(const struct stat *left, const struct stat *right)
{
    return left->st_dev == right->st_dev && left->st_ino == right->st_ino;
}

/* The same directory in the same mount namespace. */
static bool is_own_root(const struct target *target)
{
    struct stat mounts, own, theirs;
    return target->mounts && stat("/proc/self/ns/mnt", &mounts) == 0 &&
           target->mounts == mounts.st_ino && stat("/", &own) == 0 &&
           fstat(target->root_fd, &theirs) == 0 && is_same_directory(&own, &theirs);
}

/* Only a chroot has one. What cannot be read is taken for none: paths stay as they are shown. */
static int read_root_path(struct target *target)
{
    char path[4096];
    int error = living_read_link(target->pid, "root", sizeof path, path);
    if (error || path[0] != '/' || path[1] == '\0')
        return lacks_descriptors(error) ? error : 0;
    target->root_path = strdup(path);
    return target->root_path ? 0 : -ENOMEM;
}

static int open_root(struct target *target)
{
    int error = living_open(target->pid, "root", O_PATH | O_DIRECTORY, &target->root_fd);
    if (!error)
        error = read_mounts(target);
    if (!error) {
        target->own_root = is_own_root(target);
        return 0;
    }
    if (error == -ENOENT) /* a zombie has no root any more */
        return -ESRCH;
    if ((error == -EACCES || error == -EPERM) && (geteuid() == 0 || target->uid == geteuid())) {
        target->own_root = true;
        return 0;
    }
    return error;
}

/* A target that has nothing yet. */
static int new_target(pid_t pid, struct target **ret_target)
{
    struct target *target = calloc(1, sizeof *target);
    struct target_shared *shared = calloc(1, sizeof *shared);
    if (!target || !shared) {
        free(target);
        free(shared);
        return -ENOMEM;
    }
    atomic_init(&shared->references, 1);
    *target = (struct target){.pid = pid, .root_fd = -1, .pidfd = -1, .shared = shared};
    *ret_target = target;
    return 0;
}

/* Old kernels, and some sandboxes, have none. */
static int open_pidfd(struct target *target)
{
    target->pidfd = (int)syscall(SYS_pidfd_open, target->pid, 0);
    bool matters = errno == ESRCH || errno == EMFILE || errno == ENFILE;
    return target->pidfd < 0 && matters ? -errno : 0;
}

int target_open(pid_t pid, struct target **ret_target)
{
    if (pid <= 0)
        return -ESRCH;
    _cleanup_(target_cleanup) struct target *target = NULL;
    int error = new_target(pid, &target);
    if (!error)
        error = open_pidfd(target);
    if (!error)
        error = read_user(target);
    if (!error)
        error = open_root(target);
    if (!error)
        error = read_root_path(target);
    if (error)
        return error;
    *ret_target = take_pointer(target);
    return 0;
}

static bool is_other(const struct target *target)
{
    return target->shared && atomic_load(&target->shared->is_other);
}

static int copy_root(const struct target *like, struct target *target)
{
    target->own_root = like->own_root;
    target->mounts = like->mounts;
    if (like->root_fd >= 0) {
        target->root_fd = fcntl(like->root_fd, F_DUPFD_CLOEXEC, 0);
        if (target->root_fd < 0)
            return -errno;
    }
    if (like->root_path) {
        target->root_path = strdup(like->root_path);
        return target->root_path ? 0 : -ENOMEM;
    }
    return 0;
}

static int copy_user(const struct target *like, struct target *target)
{
    target->uid = target->gid = NOBODY;
    if (like->may_change || is_other(like))
        return 0;
    target->groups = calloc(like->group_count + 1, sizeof *target->groups);
    if (!target->groups)
        return -ENOMEM;
    if (like->group_count)
        memcpy(target->groups, like->groups, like->group_count * sizeof *target->groups);
    target->group_count = like->group_count;
    target->uid = like->uid;
    target->gid = like->gid;
    return 0;
}

int target_stand_in(const struct target *like, pid_t pid, struct target **ret_target)
{
    _cleanup_(target_cleanup) struct target *target = NULL;
    int error = new_target(pid, &target);
    if (!error)
        error = copy_user(like, target);
    if (error)
        return error;
    target->shared->is_final = true;
    target->inner_pid = like->inner_pid == like->pid ? pid : 0;
    if (pid == like->pid)
        target->inner_pid = like->inner_pid;
    error = copy_root(like, target);
    if (error == -ENOMEM)
        return error;
    if (error) /* without its root, paths mean nothing: as this user nothing is opened */
        target->uid = target->gid = (uid_t)-1;
    *ret_target = take_pointer(target);
    return 0;
}

struct target *target_ref(const struct target *target)
{
    if (target->shared)
        atomic_fetch_add(&target->shared->references, 1);
    return (struct target *)target;
}

static bool has_ended(const struct target *target)
{
    struct pollfd poll_fd = {.fd = target->pidfd, .events = POLLIN};
    return target->pidfd >= 0 && poll(&poll_fd, 1, 0) > 0;
}

void target_set_executed(const struct target *target)
{
    if (target->shared)
        atomic_store(&target->shared->has_executed, true);
}

enum target_life target_life(const struct target *target)
{
    if (!target->shared)
        return TARGET_RUNS;
    if (atomic_load(&target->shared->has_executed))
        return TARGET_EXECUTED;
    return target->shared->is_final || has_ended(target) ? TARGET_ENDED : TARGET_RUNS;
}

static bool is_same_user(const struct target *left, const struct target *right)
{
    size_t count = left->group_count;
    return left->uid == right->uid && left->gid == right->gid && count == right->group_count &&
           (count == 0 || !memcmp(left->groups, right->groups, count * sizeof *left->groups));
}

static bool is_same_root(const struct target *left, const struct target *right)
{
    struct stat roots[2];
    if (left->own_root || right->own_root)
        return left->own_root == right->own_root;
    return left->mounts && left->mounts == right->mounts && fstat(left->root_fd, &roots[0]) == 0 &&
           fstat(right->root_fd, &roots[1]) == 0 && is_same_directory(&roots[0], &roots[1]);
}

bool target_same_rights(const struct target *left, const struct target *right)
{
    return !is_other(left) && !is_other(right) && is_same_user(left, right) &&
           is_same_root(left, right);
}

void target_look_again(const struct target *target)
{
    if (!target->shared || target->shared->is_final || is_other(target))
        return;
    struct target now = {.pid = target->pid};
    /* Only then, so that what was read is the target's and not that of a successor of its pid. */
    if (!read_user(&now) && !is_same_user(&now, target) && !has_ended(target))
        atomic_store(&target->shared->is_other, true);
    free(now.groups);
}

struct target target_rights(const struct target *target)
{
    struct target rights = *target;
    target_look_again(target);
    if (is_other(target)) {
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

void target_let_go(struct target *target)
{
    if (!target->shared || atomic_load(&target->shared->references) > 1)
        return;
    close_fd(&target->root_fd);
    close_fd(&target->pidfd);
    target->root_fd = target->pidfd = -1;
    target->uid = target->gid = (uid_t)-1; /* without its root, paths mean nothing */
    target->may_change = false;
    atomic_store(&target->shared->is_other, false); /* then it would be nobody, in our own root */
    target->shared->is_final = true;
}

void target_free(struct target *target)
{
    if (!target || !target->shared || atomic_fetch_sub(&target->shared->references, 1) > 1)
        return;
    if (target->root_fd >= 0)
        close(target->root_fd);
    if (target->pidfd >= 0)
        close(target->pidfd);
    free(target->shared);
    free(target->groups);
    free(target->root_path);
    free(target);
}
