/*
 * Lends the calling thread a target's rights. Raw system calls act on one thread; the C library's
 * setgroups() would act on all. Changing the fsuid alone is not enough: ptrace access checks, as in
 * /proc/1/environ, look at CAP_SYS_PTRACE, which it does not drop (capabilities(7)).
 */
#include "privilege/credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

typedef struct __user_cap_data_struct capability_sets[2];

static int get_capabilities(capability_sets sets)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    return syscall(SYS_capget, &header, sets) < 0 ? -errno : 0;
}

static int set_capabilities(const capability_sets sets)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    return syscall(SYS_capset, &header, sets) < 0 ? -errno : 0;
}

static int drop_effective(const capability_sets sets)
{
    capability_sets none;
    memcpy(none, sets, sizeof none);
    none[0].effective = none[1].effective = 0;
    return set_capabilities(none);
}

static bool may_switch(const capability_sets sets)
{
    const uint32_t both = CAP_TO_MASK(CAP_SETUID) | CAP_TO_MASK(CAP_SETGID);
    return (sets[0].effective & both) == both;
}

static int get_groups(gid_t **ret_groups, int *ret_count)
{
    long count = syscall(SYS_getgroups, 0, NULL);
    if (count < 0)
        return -errno;
    _cleanup_free_ gid_t *groups = calloc((size_t)count + 1, sizeof *groups);
    if (!groups)
        return -ENOMEM;
    long got = syscall(SYS_getgroups, count, groups);
    if (got < 0)
        return -errno;
    *ret_groups = take_pointer(groups);
    *ret_count = (int)got;
    return 0;
}

/* setfsuid(2) and setfsgid(2) do not report failure, but an impossible id reads the present one. */
static int set_fsuid(uid_t uid)
{
    setfsuid(uid);
    return (uid_t)setfsuid((uid_t)-1) == uid ? 0 : -EPERM;
}

static int set_fsgid(gid_t gid)
{
    setfsgid(gid);
    return (gid_t)setfsgid((gid_t)-1) == gid ? 0 : -EPERM;
}

static int set_groups(const gid_t *groups, size_t count)
{
    return syscall(SYS_setgroups, count, groups) < 0 ? -errno : 0;
}

/* Capabilities first and last: they are needed for the rest, and changing the fsuid alters them. */
static void restore_or_abort(const struct credentials *before)
{
    if (set_capabilities(before->capabilities))
        abort();
    if (!before->switched)
        return;
    if (set_fsuid(before->fsuid) || set_fsgid(before->fsgid) ||
        set_groups(before->groups, (size_t)before->group_count) ||
        set_capabilities(before->capabilities))
        abort();
}

void credentials_restore(struct credentials *before)
{
    restore_or_abort(before);
    free(before->groups);
    before->groups = NULL;
}

static int switch_user(const struct target *target, struct credentials *before)
{
    int error = get_groups(&before->groups, &before->group_count);
    if (error)
        return error;
    error = set_groups(target->groups, target->group_count);
    if (error) /* EINVAL: a group that this user namespace does not know */
        return error == -EINVAL ? -EACCES : error;
    before->switched = true;
    error = set_fsgid(target->gid);
    if (!error)
        error = set_fsuid(target->uid);
    return error;
}

int credentials_switch(const struct target *target, struct credentials *ret_before)
{
    struct credentials before = {
        .fsuid = (uid_t)setfsuid((uid_t)-1),
        .fsgid = (gid_t)setfsgid((gid_t)-1),
    };
    int error = get_capabilities(before.capabilities);
    if (error)
        return error;
    if (target->uid == (uid_t)-1 || target->gid == (gid_t)-1)
        return -EACCES;
    if (may_switch(before.capabilities))
        error = switch_user(target, &before);
    else
        error = -EPERM;
    /* A user namespace may deny setgroups(2) even to its root; as oneself nothing is gained. */
    if (error == -EPERM && !before.switched)
        error = target->uid == before.fsuid ? 0 : -EACCES;
    if (!error)
        error = drop_effective(before.capabilities);
    if (error) {
        credentials_restore(&before);
        return error;
    }
    *ret_before = before;
    return 0;
}
