/* The processes of a session: its target and, when they are followed, the target's descendants. */
#pragma once

#include <stdbool.h>

#include "process/address_space.h"

struct process {
    pid_t pid;
    struct target *target;       /* owned; NULL: still the session's own */
    struct address_space *space; /* owned */
    bool waiting_for_exec;       /* a launched child that still runs our own code */
    bool ended;
    bool is_over;          /* all records up to its end were heard: what it had open is closed */
    bool gave_up_pid;      /* it is another process's by now: records of it are not of this one */
    uint64_t ended_ns;     /* CLOCK_MONOTONIC */
    uint64_t maps_read_ns; /* mapping records older than this are in /proc/PID/maps already */
    unsigned vdso_tries;   /* left: after exec the vdso must be looked up, no record tells of it */
    uint64_t cpu_time_ns;  /* by the kernel's books, at the last reading */
    uint64_t accounted_ns; /* of that, while sampling was on */
    uint64_t sampled_ns, sampled_at_read_ns; /* weights of its samples; those at that reading */
    /* The tree's own. */
    struct process *older;      /* whose pid has the same hash */
    struct process *next_ended; /* after it */
    size_t position;            /* among the living */
};

struct process_tree;

/* The tree with its first process. `modules` must outlive it. 0 or -ENOMEM. */
int process_tree_new(struct module_table *modules, pid_t pid, struct process_tree **ret_tree);
void process_tree_free(struct process_tree *tree);

/* The process, or NULL; also one that has just ended, for records that come late. */
struct process *process_tree_find(struct process_tree *tree, pid_t pid);

/* A child of a process that is in the tree, with a copy of its mappings. 0 or -ENOMEM. */
int process_tree_fork(struct process_tree *tree, const struct process *parent, pid_t pid);

/*
 * A descendant that ran before the session did, with the mappings in /proc. Records about it that
 * are older than that are told apart by maps_read_ns. 0, -ENOMEM, or an error of reading it.
 */
int process_tree_add_running(struct process_tree *tree, pid_t pid);

/* Calls `on_end`, from here on, when a process has ended or is found to have: once for each. */
typedef void process_end_fn(void *user, const struct process *process);
void process_tree_tell_ends(struct process_tree *tree, process_end_fn *on_end, void *user);

/* The process ended at `time_ns`, of a record or of now; late records still find it for a while. */
void process_tree_end(struct process_tree *tree, struct process *process, uint64_t time_ns);
/* The same by its own last record: nothing more is opened for it. */
void process_tree_end_told(struct process_tree *tree, struct process *process, uint64_t time_ns);
/* The same, and another process has its pid. */
void process_tree_give_up_pid(struct process_tree *tree, struct process *process, uint64_t time_ns);

/* Those that ended a while before `time_ns`, up to which records were heard, but for CPU time. */
void process_tree_forget(struct process_tree *tree, uint64_t time_ns);

/*
 * Code of `target` (as in a module) was replaced by other code: its samples are of another module
 * from now on. -EAGAIN when it is too soon after the last time.
 */
int process_tree_renew(struct process_tree *tree, const struct target *target);

/*
 * Looks up what no record tells of new images: the vdso, and where the stack begins. True when an
 * image was still new.
 */
bool process_tree_look_at_images(struct process_tree *tree);

/* The same of one whose image may have changed before records were heard: is it a 32-bit one? */
void process_tree_look_at_width(struct process_tree *tree, const struct process *process);
/* True when a process was seen to execute a 32-bit program, whose samples say nothing. */
bool process_tree_executed_32_bit(const struct process_tree *tree);

/*
 * A new image was executed at `time_ns`: nothing of the old one is mapped any more, and whose it
 * is, its user or what names its code, need not be what it was. 0 or -ENOMEM.
 */
int process_exec(struct process *process, uint64_t time_ns);

/*
 * Reads every living process's CPU time; what was used since the last reading counts if `sampling`
 * was on. Processes that are gone without a record are marked as ended.
 */
void process_tree_account(struct process_tree *tree, bool sampling, uint64_t now_ns);

/* CPU time of all processes by the kernel's books while sampling was on, in ns. */
uint64_t process_tree_accounted_ns(const struct process_tree *tree);

/* Calls `visit` for each that has not ended, until one returns an error, which is passed on. */
int process_tree_each(const struct process_tree *tree, int (*visit)(void *user, pid_t pid),
                      void *user);

/* Processes that have not ended. */
size_t process_tree_living(const struct process_tree *tree);
