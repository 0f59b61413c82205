/* The threads of the target that the ptrace backend has seized. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PTRACE_NAME_BYTES 64

/* /proc/PID/task/TID/schedstat: CPU time so far, and how often the thread was given a CPU. */
struct thread_run {
    uint64_t cpu_ns, slices;
};

struct traced_thread {
    pid_t tid;
    int stat_fd, schedstat_fd; /* owned; -1: opened for each reading */
    bool due;                  /* is to be stopped in this tick */
    bool interrupted;          /* was told to stop for a sample and did not stop yet */
    bool has_run;              /* `run` is known */
    struct thread_run run;     /* CPU time at the last sample, slices at the last stop */
    uint64_t slices_at_tick;   /* run.slices, when a tick found it to be due */
    uint64_t sleeps, stops;    /* as read when last looked at, and its stops since then */
    int64_t owed_ns;           /* CPU time that no sample stands for yet; below 0: too many did */
    uint32_t cpu;              /* at the last reading of stat */
    char name[PTRACE_NAME_BYTES]; /* the same; "" before the first one */
};

struct traced_threads {
    pid_t pid;
    struct traced_thread *threads; /* owned, sorted by tid */
    size_t count, capacity;
};

struct traced_thread *traced_threads_find(const struct traced_threads *threads, pid_t tid);
/* 0, -EEXIST, -ENOMEM. */
int traced_threads_add(struct traced_threads *threads, pid_t tid);
void traced_threads_remove(struct traced_threads *threads, pid_t tid);
void traced_threads_free(struct traced_threads *threads);

/*
 * Reads state, name and cpu of a thread (proc_pid_stat(5)). *ret_renamed: its name changed, and
 * thread->name is the new one. 0 or -errno when it ended.
 */
int traced_thread_read(const struct traced_threads *threads, struct traced_thread *thread,
                       char *ret_state, bool *ret_renamed);

/* 0, or -errno where the kernel does not count this or the thread has ended. */
int traced_thread_read_run(const struct traced_threads *threads, const struct traced_thread *thread,
                           struct thread_run *ret_run);

/*
 * How often the thread gave its CPU up of its own accord so far: voluntary_ctxt_switches of
 * proc_pid_status(5). 0 or -errno.
 */
int traced_thread_read_sleeps(const struct traced_threads *threads,
                              const struct traced_thread *thread, uint64_t *ret_sleeps);
