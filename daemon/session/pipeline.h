/*
 * The state of one session's pipeline; pipeline.c is its thread, records.c the path of a sample,
 * pipeline_open.c what it stands on, stack_size.c how much it copies of stacks, accounts.c what is
 * told of it, memory.c how it stays small.
 */
#pragma once

#include <errno.h>

#include "aggregate/compaction.h"
#include "base/negative_errno.h"
#include "capture/capture.h"
#include "process/absent_pages.h"
#include "process/process_tree.h"
#include "process/thread_table.h"
#include "session/session_private.h"
#include "unwind/unwinder.h"

/* Of the kernel's books on CPU time. */
struct reading {
    uint64_t at_ns;   /* when it was last done; 0: never */
    uint64_t cost_ns; /* what that took */
};

struct pipeline {
    struct session *session; /* borrowed */
    struct capture *capture;
    struct process_tree *processes;
    struct thread_table *threads;
    struct unwinder *unwinder;
    struct raw_stack stack; /* scratch */
    struct session_counts counts;
    struct session_counts stack_window; /* as they were when truncated stacks began to be counted */
    bool stack_is_final;                /* no more of them can be copied */
    /* Of a capture that is being replaced records count up to here, and from here on of the new. */
    uint64_t heard_from_ns, heard_until_ns;
    struct module_hits *module_hits; /* owned; by module id */
    size_t module_hit_count, module_hit_capacity;
    uint32_t told_locations;       /* that the symbol thread was woken for */
    struct compaction *compaction; /* owned; NULL: none is under way */
    struct reading compacted;      /* the last one; while one is under way, when it began */

    int pid_fd;
    uint64_t started_ns; /* of the session, CLOCK_MONOTONIC */
    uint64_t sealed_ns;  /* end of the last sealed bucket, since started_ns */
    uint64_t ended_ns;   /* when all that is sampled was seen to have ended; 0: not yet */
    struct absent_pages absent_pages; /* that stacks ended at */
    struct reading processes_read, threads_read, children_read, absent_read, looked;
    bool missed;               /* records were lost since it was looked what they told of */
    bool names_missed;         /* threads may have new names that no record told of */
    uint64_t children_last_ns; /* CPU time of children at the last reading */
    size_t children;           /* that are not followed, at the last reading */
    uint64_t daemon_cpu_ns;    /* lprofd's own, for the observer */
    uint64_t observed_ns, observed_cost_ns;
    double daemon_cpu_percent, target_overhead_percent;
    bool sampling; /* neither paused nor ended */
    int error;
};

/* Up to where the records were heard at `now_ns`, but for the last milliseconds'. */
uint64_t pipeline_heard_until(const struct pipeline *pipeline, uint64_t now_ns);

/* Attaches. Fills *failure, for people, when it cannot. 0 or -errno. */
int pipeline_open(struct session *session, struct pipeline **ret_pipeline, struct failure *failure);
void pipeline_close(struct pipeline *pipeline);

/* What its capture is opened with, to copy so many bytes of each stack. */
struct capture_options pipeline_capture_options(const struct session *session,
                                                uint32_t stack_bytes);

/* Takes a descendant in that no record told of; leaves out what cannot be sampled. 0 or -errno. */
int pipeline_follow(struct pipeline *pipeline, pid_t pid);

/* Reads what missed records would have told: mappings, and descendants if they are followed. */
int pipeline_look_again(struct pipeline *pipeline);

/* The same for threads and their names. CPU time of new ones counts if sampling was on. */
int pipeline_find_threads(struct pipeline *pipeline);

/* Both, once lost records made it necessary and it is due. 0 or -errno. */
int pipeline_catch_up(struct pipeline *pipeline);

/* A record_fn: counts the record; `user` is the pipeline. */
void pipeline_on_record(void *user, const struct record *record);

/*
 * Goes on with larger copies of stacks if many of the target's do not fit, unless the user said how
 * large they are.
 */
void pipeline_fit_stacks(struct pipeline *pipeline);

/* Reads the CPU time of processes, of threads and our own, each when it is due. */
void pipeline_account(struct pipeline *pipeline, uint64_t now_ns);

/* Everything at once, when sampling starts or stops. */
void pipeline_account_all(struct pipeline *pipeline);

/*
 * Seals the open bucket at `end_ns` (since the start) and hands all that readers see over to them,
 * in one short critical section: a view finds every thread and sample that its buckets name.
 */
int pipeline_seal(struct pipeline *pipeline, uint64_t end_ns);

/*
 * Seals the open bucket if `time_ns` (since the start) lies beyond its end. When that is long past,
 * what is counted so far still belongs where it was: the rest is a bucket without samples.
 */
int pipeline_seal_until(struct pipeline *pipeline, uint64_t time_ns);

/* Right after a seal: forgets what is oldest when stacks or counts take too much memory. */
void pipeline_stay_within_limit(struct pipeline *pipeline);

/* False while new stacks would be too much. */
bool pipeline_has_room_for_stacks(const struct pipeline *pipeline);

/* What the target executes now: another image than before, perhaps. */
void pipeline_describe_target(struct session *session);
