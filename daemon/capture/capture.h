/* Capture backends: whatever turns a running process into time-ordered records. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cancel.h"
#include "base/failure.h"
#include "lprofd/record.h"

struct capture_options {
    pid_t pid;
    uint32_t frequency_hz;
    uint32_t stack_bytes;        /* user stack to copy with each sample */
    bool follow;                 /* sample the target's children too */
    const char *event;           /* "auto", "cycles", "cpu-clock", "task-clock" */
    const struct cancel *cancel; /* gives up opening and switching on; outlives the capture */
};

/* What every backend's object begins with. */
struct capture {
    const struct capture_ops *ops;
    const char *event;       /* what it samples by: constant string */
    uint64_t period_ns;      /* nominal weight of one sample */
    uint64_t target_cost_ns; /* time taken from the target so far: estimated, or measured */
    uint64_t left_ns;        /* time of the oldest record that a drain had no time for; 0: none */
    uint32_t stack_bytes;    /* that are copied: less than asked for where memory is short */
    bool reports_mappings;   /* mappings come as records; else as RECORD_MAPS */
};

typedef void record_fn(void *user, const struct record *record);

/*
 * One backend. All functions of one object are called from one thread (ptrace demands it).
 * A capture starts disabled: no samples, though mapping, comm, fork and exit records may come.
 */
struct capture_ops {
    const char *name;
    /*
     * Fails with -EPERM/-EACCES where the kernel refuses, -EMFILE and -ENOBUFS where too few files
     * may be open or too little memory may be locked, -ENOTSUP where it cannot, -ECANCELED.
     */
    int (*open)(const struct capture_options *options, struct capture **ret_capture,
                struct failure *ret_failure);
    int (*set_enabled)(struct capture *capture, bool enabled);
    /* Sleeps until there is something to drain, at most `timeout_ns`. */
    int (*wait)(struct capture *capture, uint64_t timeout_ns);
    /*
     * Hands on all records older than about a millisecond (all there are if `final`), in order. It
     * takes a limited time: what is left is of the next drain; after a final one it is lost, which
     * RECORD_LOST tells.
     * -EMFILE and -ENOBUFS: new threads are not sampled for now, all else goes on.
     */
    int (*drain)(struct capture *capture, bool final, record_fn *on_record, void *user);
    /* A child of the target is to be sampled too; NULL where that happens by itself. */
    int (*add_process)(struct capture *capture, pid_t pid);
    /*
     * The same of one that is there and that no record has told of: it ran before the capture was
     * opened, or began before events were on, or its record was lost. NULL: cannot.
     */
    int (*add_running)(struct capture *capture, pid_t pid);
    /*
     * A followed process, which called itself `inner_pid`, has ended: whoever has its pid from now
     * on is not sampled. NULL where that happens by itself.
     */
    void (*remove_process)(struct capture *capture, pid_t pid, pid_t inner_pid);
    /*
     * Whether another capture of a sampled target, with these options, may be opened beside this
     * one, and is fast enough to lose nothing. NULL: never.
     */
    bool (*may_reopen)(const struct capture_options *options);
    /* Copies so many bytes of each stack from now on. NULL: only another capture can. */
    int (*copy_more)(struct capture *capture, uint32_t stack_bytes);
    /* Lets go of the target, which runs on undisturbed. NULL is harmless. */
    void (*close)(struct capture *capture);
};

extern const struct capture_ops capture_perf_cpu;
extern const struct capture_ops capture_perf_task;
extern const struct capture_ops capture_perf_thread;
extern const struct capture_ops capture_ptrace;

struct capture_choice {
    const struct capture_ops *ops;
    bool follows; /* can sample children */
    int usual;    /* why the one before cannot be had, as a rule: an error as of open() */
    /* Why "auto" arrives here, by what the one before was short of. */
    const char *refused, *lacks_files, *lacks_memory;
};

/* The backends in the order in which "auto" tries them: what costs the target least first. */
#define CAPTURE_CHOICES 4
extern const struct capture_choice capture_choices[CAPTURE_CHOICES];

/* Why "auto" takes it after the one before failed with `error`; a constant string. */
const char *capture_reason(const struct capture_choice *choice, int error);

/*
 * Opens the backend called `name`, or with "auto" the first choice that works. *ret_reason, a
 * constant string, says why it is this one.
 */
int capture_open(const char *name, const struct capture_options *options,
                 struct capture **ret_capture, const char **ret_reason,
                 struct failure *ret_failure);

/* Not a failure: a process or thread has ended meanwhile, or cannot be sampled. Others go on. */
static inline int capture_pass_over(int error)
{
    return error == -ESRCH || error == -ENOENT || error == -EACCES || error == -EPERM ? 0 : error;
}
