/*
 * The one place that opens what needs privilege: perf events, BPF, ptrace, /proc/PID, the target's
 * binaries and sources. Every function returns 0 and a result, or -errno; nothing here prints,
 * parses or keeps state, so that it can become a separate process.
 */
#pragma once

#include <linux/perf_event.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* --- the target ------------------------------------------------------------------------------ */

/* What all who hold a target share. */
struct target_shared {
    atomic_uint references;
    atomic_bool is_other;     /* it was seen to be another user since */
    atomic_bool has_executed; /* another program runs in its process */
    bool is_final;            /* what is known of it is not looked at again */
};

/*
 * What is remembered of a process so that its files can be opened as itself, also after it ended:
 * its root directory and its user. One process, and one program in it: a successor that has its
 * pid, or what it executes, is another target.
 */
struct target {
    pid_t pid;
    pid_t inner_pid; /* what it calls itself: its pid in its own pid namespace */
    int root_fd;     /* O_PATH of /proc/PID/root; -1 when it may not be opened: own root is used */
    bool own_root;   /* root_fd is lprofd's own root too */
    ino_t mounts;    /* its mount namespace; 0 when that may not be known */
    char *root_path; /* owned: that directory as maps of lprofd's view shows it; NULL: "/" */
    uid_t uid;       /* 65534 when its real, effective and saved ids differ */
    gid_t gid;       /* the same */
    gid_t *groups;   /* owned */
    size_t group_count;
    bool may_change;              /* it had capabilities: it may have become another user unseen */
    int pidfd;                    /* tells whether it has ended; -1 where there are none */
    struct target_shared *shared; /* owned; NULL: not counted, nor looked at again */
};

/* -ESRCH no such process, -EACCES/-EPERM not ours, -EMFILE, -ENFILE. */
int target_open(pid_t pid, struct target **ret_target);

/*
 * Of a process that cannot be looked at (any more): it has the root of `like` (itself earlier, or
 * its parent), and the rights if they cannot have changed unseen; otherwise it is nobody. 0 or
 * -ENOMEM.
 */
int target_stand_in(const struct target *like, pid_t pid, struct target **ret_target);

/* One more who holds it; target_free() gives it back. */
struct target *target_ref(const struct target *target);
void target_free(struct target *target);

/*
 * The process has ended and opens nothing more: unless somebody else holds the target, its
 * descriptors are closed and its user is one whom nothing is opened for.
 */
void target_let_go(struct target *target);

/*
 * A process may become another user: root that starts a service gives up its rights, and whoever
 * runs from then on must not have files opened as root by naming them in debug information. Nor may
 * it get rights by executing a set-id program. So what is seen to change, groups too, is nobody for
 * good. Done before each opening.
 */
void target_look_again(const struct target *target);

/* Its process executes another program from now on. */
void target_set_executed(const struct target *target);

enum target_life { TARGET_RUNS, TARGET_ENDED, TARGET_EXECUTED };

/* What became of the program that it was made for, as far as that is known. */
enum target_life target_life(const struct target *target);

/* Both can open the same files, and paths mean the same to both. */
bool target_same_rights(const struct target *left, const struct target *right);

/* --- perf and BPF ---------------------------------------------------------------------------- */

/* perf_event_open(2) with PERF_FLAG_FD_CLOEXEC. */
int privilege_open_perf_event(const struct perf_event_attr *attributes, pid_t pid, int cpu,
                              int *ret_fd);

/*
 * Loads a BPF_PROG_TYPE_PERF_EVENT program that lets only samples of thread group `pid` (in
 * lprofd's pid namespace) pass; for PERF_EVENT_IOC_SET_BPF. Works inside a pid namespace by
 * bpf_get_ns_current_pid_tgid on the target's namespace. -EPERM without CAP_BPF and CAP_PERFMON.
 */
int privilege_load_tgid_filter(pid_t pid, int *ret_fd);

/*
 * The same for a set of thread groups that can grow: a BPF map of ids (empty at first) and a
 * program that lets samples of the groups in it pass. `pid` names the pid namespace in which the
 * ids are counted: that of the target whose children are followed. There is room for 65536 that
 * live: when it is used up, those that have ended give way. -E2BIG.
 */
int privilege_load_tgid_set_filter(pid_t pid, int *ret_map_fd, int *ret_program_fd);
int privilege_tgid_set_add(int map_fd, pid_t pid);
/*
 * Takes out what was added for `pid`, which may have ended: `inner_pid` is what it called itself,
 * in its own pid namespace, or 0. -ENOENT: it is not there.
 */
int privilege_tgid_set_remove(int map_fd, pid_t pid, pid_t inner_pid);

/* --- /proc ----------------------------------------------------------------------------------- */

enum proc_file {
    PROC_STAT,
    PROC_STATUS,
    PROC_MAPS,
    PROC_COMM,
    PROC_CMDLINE,
    PROC_SCHEDSTAT,
    PROC_EXE,  /* the executable itself, for reading */
    PROC_TASK, /* the directory of threads */
    PROC_FILE_COUNT
};

/*
 * Opens /proc/PID/FILE, or /proc/PID/task/TID/FILE when tid > 0. -ENOENT/-ESRCH when it ended.
 * When the main thread has ended and others live, status, maps, cmdline and exe of a process are
 * those of one that lives.
 */
int privilege_open_proc(pid_t pid, pid_t tid, enum proc_file file, int *ret_fd);

/* 0 while any thread of the process lives, also when the main one is a zombie; else -ESRCH. */
int privilege_check_living(pid_t pid);

/* Opens /proc itself as a directory. */
int privilege_open_proc_root(int *ret_fd);

/* /proc/kallsyms, which is the system's: in lprofd's own root. */
int privilege_open_kallsyms(int *ret_fd);

/* The target of /proc/PID/exe as text, NUL-terminated. -ENAMETOOLONG when it does not fit. */
int privilege_read_exe_link(pid_t pid, size_t bytes, char *ret_path);

/* CPU time of the whole process, ended threads included, in ns (its CPU clock). */
int privilege_read_cpu_time(pid_t pid, uint64_t *ret_ns);

/* Reads exactly `length` bytes at `address` in the target: -EIO when fewer are there. */
int privilege_read_memory(pid_t pid, uint64_t address, void *ret_bytes, size_t length);

/* The same, up to the end of what is mapped; *ret_length says how far. -EFAULT: nothing there. */
int privilege_read_memory_part(pid_t pid, uint64_t address, void *ret_bytes, size_t length,
                               size_t *ret_length);

/* --- files of the target --------------------------------------------------------------------- */

/*
 * Opens the very file that is mapped at [start, end), even when it was deleted or replaced
 * (/proc/PID/map_files), else `path` in the target's root if its device and inode agree.
 * -ESTALE when only a different file is there. Regular files only (-EINVAL).
 */
int privilege_open_mapped(const struct target *target, uint64_t start, uint64_t end,
                          const char *path, uint64_t device, uint64_t inode, int *ret_fd);

/*
 * That file is mapped there now. False also when it cannot be told: without
 * CAP_CHECKPOINT_RESTORE, or when parts of the mapping were replaced.
 */
bool privilege_is_mapped(pid_t pid, uint64_t start, uint64_t end, const char *path, uint64_t inode);

/*
 * Opens `path` for reading inside the target's root with the target's user, group and supplementary
 * groups and without any capability. Regular files only (-EINVAL); never follows /proc magic links;
 * pseudo file systems such as /proc are refused (-EACCES). Used for sources and debug files.
 */
int privilege_open_in_target(const struct target *target, const char *path, int *ret_fd);

/* Opens `path` in lprofd's own root: for debug files below /usr/lib/debug. Regular files only. */
int privilege_open_own(const char *path, int *ret_fd);

/*
 * Opens `path`, relative, below `directory` of lprofd's own root and never outside of it, whatever
 * ".." or symbolic links say (-EXDEV). For --source-path directories. Regular files only.
 */
int privilege_open_beneath(const char *directory, const char *path, int *ret_fd);

/*
 * Whose files those of the target are: what was learnt from them is only for programs of the same
 * user. 65534 when that is not certain (any more).
 */
uid_t privilege_target_user(const struct target *target);

/* --- lprofd's own files ----------------------------------------------------------------------- */

/*
 * Opens a directory in which lprofd keeps files from one run to the next; when `make` is set, it
 * and those above it are made (0700) unless they are there. `path` is absolute and no symbolic
 * link. -EPERM unless it belongs to the effective user and nobody else has any right to it.
 */
int privilege_open_cache(const char *path, bool make, int *ret_directory_fd);

/* Another descriptor of it, for fdopendir(3). */
int privilege_list_cache(int directory_fd, int *ret_fd);

/*
 * Opens a file in it for reading. Only a regular one that belongs to the effective user, that
 * nobody else has any right to and that has no other name (-EPERM); no symbolic link (-ELOOP).
 */
int privilege_open_cached(int directory_fd, const char *name, int *ret_fd);

/* Makes a new file (0600) in it, for writing. -EEXIST when there is one of that name. */
int privilege_create_cached(int directory_fd, const char *name, int *ret_fd);

/* --- ptrace (calls must come from the one thread that seized) --------------------------------- */

/* PTRACE_SEIZE with PTRACE_O_TRACECLONE and TRACEEXEC: new threads are seized as they start. */
int privilege_ptrace_seize(pid_t tid);
int privilege_ptrace_interrupt(pid_t tid);
/* General registers of a stopped thread, as the `count` words of the machine's user_regs_struct.
 * -ENOTSUP: it has another number of them, so it is a 32-bit one. */
int privilege_ptrace_registers(pid_t tid, uint64_t *ret_words, size_t count);
/* The id that a thread stopped by PTRACE_EVENT_EXEC had before, when it need not have been the
 * leader. */
int privilege_ptrace_former_tid(pid_t tid, pid_t *ret_former);
/* Continues a stopped thread, delivering `signal` (0 for none). */
int privilege_ptrace_continue(pid_t tid, int signal);
/* Keeps a thread in group-stop (job control) while still being told about its events. */
int privilege_ptrace_listen(pid_t tid);
int privilege_ptrace_detach(pid_t tid, int signal);
