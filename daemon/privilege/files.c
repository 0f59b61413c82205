/* Opens files on behalf of a target: its sources, debug files and binaries. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lprofd/privilege.h"
#include "privilege/credentials.h"
#include "privilege/living.h"
#include "privilege/target_rights.h"

/* Not in linux/magic.h: each is the super block magic of the kernel's file system of that name. */
#define CONFIGFS_MAGIC 0x62656570
#define FUSECTL_MAGIC 0x65735543
#define RDTGROUP_MAGIC 0x07655821
#define MQUEUE_MAGIC 0x19800202
#define NFSD_MAGIC 0x6e667364
#define RPC_PIPEFS_MAGIC 0x67596969
#define BCACHEFS_MAGIC 0xca451a4e

/* File systems whose files are made up by the kernel: none holds source or debug files. */
static const uint32_t pseudo_file_systems[] = {
    PROC_SUPER_MAGIC,      SYSFS_MAGIC,          DEBUGFS_MAGIC,       TRACEFS_MAGIC,
    SECURITYFS_MAGIC,      SELINUX_MAGIC,        SMACK_MAGIC,         CGROUP_SUPER_MAGIC,
    CGROUP2_SUPER_MAGIC,   RDTGROUP_MAGIC,       BPF_FS_MAGIC,        PSTOREFS_MAGIC,
    EFIVARFS_MAGIC,        BINFMTFS_MAGIC,       NSFS_MAGIC,          SOCKFS_MAGIC,
    PIPEFS_MAGIC,          DEVPTS_SUPER_MAGIC,   ANON_INODE_FS_MAGIC, BINDERFS_SUPER_MAGIC,
    USBDEVICE_SUPER_MAGIC, OPENPROM_SUPER_MAGIC, XENFS_SUPER_MAGIC,   CONFIGFS_MAGIC,
    FUSECTL_MAGIC,         MQUEUE_MAGIC,         NFSD_MAGIC,          RPC_PIPEFS_MAGIC,
};

/*
 * File systems where the device that /proc/PID/maps prints is not the one stat(2) gives: btrfs and
 * bcachefs number each subvolume, overlayfs shows its own or a layer's.
 */
static const uint32_t many_device_file_systems[] = {
    BTRFS_SUPER_MAGIC,
    OVERLAYFS_SUPER_MAGIC,
    BCACHEFS_MAGIC,
};

static bool contains(const uint32_t *magics, size_t count, uint32_t magic)
{
    for (size_t i = 0; i < count; i++)
        if (magics[i] == magic)
            return true;
    return false;
}

/* An unknown one counts as pseudo. */
static bool is_on_pseudo_file_system(int fd)
{
    struct statfs file_system;
    return fstatfs(fd, &file_system) < 0 ||
           contains(pseudo_file_systems, array_length(pseudo_file_systems),
                    (uint32_t)file_system.f_type);
}

static bool is_on_many_device_file_system(int fd)
{
    struct statfs file_system;
    return fstatfs(fd, &file_system) == 0 &&
           contains(many_device_file_systems, array_length(many_device_file_systems),
                    (uint32_t)file_system.f_type);
}

/*
 * Opens for reading what an O_PATH descriptor names, if it is a regular file of a real file
 * system. Going through O_PATH means that devices and FIFOs are never really opened.
 */
static int reopen_regular(int path_fd, int *ret_fd)
{
    struct stat status;
    if (fstat(path_fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    if (is_on_pseudo_file_system(path_fd))
        return -EACCES;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", path_fd);
    int fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

/*
 * O_PATH of an absolute path inside a root; symbolic links, absolute ones too, stay inside. Where
 * openat2 is missing (an old kernel, a sandbox), lprofd's own root needs no confining: the rights
 * that the thread has now decide, and the file system is checked once it is open.
 */
static int open_path_in_root(int root_fd, bool is_own_root, const char *path, int *ret_fd)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    for (int tries = 0;; tries++) {
        long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof how);
        if (fd >= 0) {
            *ret_fd = (int)fd;
            return 0;
        }
        if (errno == ENOSYS && is_own_root) {
            int own_fd = open(path, O_PATH | O_CLOEXEC);
            if (own_fd < 0)
                return -errno;
            *ret_fd = own_fd;
            return 0;
        }
        if (errno == EXDEV || errno == ELOOP)
            return -EACCES;                 /* a magic link on the way */
        if (errno != EAGAIN || tries == 10) /* a rename elsewhere made ".." uncertain */
            return -errno;
    }
}

/* Both steps with the rights that the calling thread has now. */
static int open_regular_in_root(int root_fd, bool is_own_root, const char *path, int *ret_fd)
{
    _cleanup_close_ int path_fd = -1;
    int error = open_path_in_root(root_fd, is_own_root, path, &path_fd);
    return error ? error : reopen_regular(path_fd, ret_fd);
}

static int open_as_target(const struct target *target, int root_fd, bool is_own_root,
                          const char *path, int *ret_fd)
{
    if (path[0] != '/')
        return -EINVAL;
    struct credentials before;
    const struct target rights = target_rights(target);
    int error = credentials_switch(&rights, &before);
    if (error)
        return error;
    error = open_regular_in_root(root_fd, is_own_root, path, ret_fd);
    credentials_restore(&before);
    return error;
}

/* The same in lprofd's own root. */
static int open_as_target_in_own_root(const struct target *target, const char *path, int *ret_fd)
{
    _cleanup_close_ int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root_fd < 0 ? -errno : open_as_target(target, root_fd, true, path, ret_fd);
}

int privilege_open_in_target(const struct target *target, const char *path, int *ret_fd)
{
    if (target->root_fd < 0)
        return open_as_target_in_own_root(target, path, ret_fd);
    return open_as_target(target, target->root_fd, target->own_root, path, ret_fd);
}

int privilege_open_own(const char *path, int *ret_fd)
{
    _cleanup_close_ int path_fd = open(path, O_PATH | O_CLOEXEC);
    return path_fd < 0 ? -errno : reopen_regular(path_fd, ret_fd);
}

int privilege_open_beneath(const char *directory, const char *path, int *ret_fd)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    _cleanup_close_ int directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory_fd < 0)
        return -errno;
    _cleanup_close_ int path_fd = (int)syscall(SYS_openat2, directory_fd, path, &how, sizeof how);
    return path_fd < 0 ? -errno : reopen_regular(path_fd, ret_fd);
}

/* --- mapped files --------------------------------------------------------------------------- */

static bool is_same_file(int fd, uint64_t device, uint64_t inode)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || status.st_ino != inode)
        return false;
    return status.st_dev == device || is_on_many_device_file_system(fd);
}

/* The link's text and the path in maps come from the same mapping by the same kernel function. */
static bool is_link_to(pid_t pid, const char *name, const char *path)
{
    char text[4096];
    return living_read_link(pid, name, sizeof text, text) == 0 && strcmp(text, path) == 0;
}

/*
 * By map_files (CAP_CHECKPOINT_RESTORE): that is the mapped file itself, whatever its path says
 * now. Only the mapping may have been replaced meanwhile, so its inode or its path must be those
 * of the caller; overlayfs may show other inodes in maps than in stat(2).
 */
static int open_map_file(pid_t pid, uint64_t start, uint64_t end, const char *path, uint64_t inode,
                         int *ret_fd)
{
    char name[64];
    snprintf(name, sizeof name, "map_files/%" PRIx64 "-%" PRIx64, start, end);
    _cleanup_close_ int path_fd = -1;
    int error = living_open(pid, name, O_PATH, &path_fd);
    if (error)
        return error;
    struct stat status;
    if (fstat(path_fd, &status) < 0)
        return -errno;
    if (status.st_ino != inode && !is_link_to(pid, name, path))
        return -ESTALE;
    return reopen_regular(path_fd, ret_fd);
}

bool privilege_is_mapped(pid_t pid, uint64_t start, uint64_t end, const char *path, uint64_t inode)
{
    _cleanup_close_ int fd = -1;
    return open_map_file(pid, start, end, path, inode, &fd) == 0;
}

/* Hands the descriptor on if it is the wanted file's. */
static int take_if_same(int *fd, uint64_t device, uint64_t inode, int *ret_fd)
{
    if (!is_same_file(*fd, device, inode))
        return -ESTALE;
    *ret_fd = take_fd(fd);
    return 0;
}

int privilege_open_mapped(const struct target *target, uint64_t start, uint64_t end,
                          const char *path, uint64_t device, uint64_t inode, int *ret_fd)
{
    target_look_again(target); /* what is mapped now may be the code of another user */
    int error = open_map_file(target->pid, start, end, path, inode, ret_fd);
    if (error == 0 || error == -EINVAL)
        return error;
    _cleanup_close_ int fd = -1;
    error = privilege_open_in_target(target, path, &fd);
    if (!error)
        error = take_if_same(&fd, device, inode, ret_fd);
    /* maps shows paths as lprofd's root sees them: those of a chroot begin outside of it. */
    _cleanup_close_ int own_fd = -1;
    if (error && !target->own_root && open_as_target_in_own_root(target, path, &own_fd) == 0 &&
        take_if_same(&own_fd, device, inode, ret_fd) == 0)
        return 0;
    return error;
}
