/* The inside of a session: shared by the files of this folder only. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "aggregate/buckets.h"
#include "base/cancel.h"
#include "base/clock.h"
#include "lprofd/privilege.h"
#include "lprofd/profile.h"
#include "lprofd/session.h"
#include "lprofd/stack.h"
#include "process/module_table.h"
#include "saved/saved_profile.h"
#include "session/kept_sources.h"
#include "session/source_check.h"

/* Counts that only grow; written by the pipeline, published with each sealed bucket. */
struct session_counts {
    uint64_t hits, sampled_ns, accounted_ns;
    uint64_t strays; /* samples of processes that were gone before they were known: left out */
    uint64_t lost, throttled, truncated, to_root, by_frame_pointer;
    uint64_t ended[STACK_END_COUNT]; /* samples by how their stack ended */
    uint64_t descriptor_failures;    /* times that something could not be opened for want of one */
    uint64_t memory_failures;        /* times that a thread got no ring for want of locked memory */
    uint64_t children_ns;            /* CPU time of children that are not followed */
    uint64_t target_cost_ns;         /* estimated time that sampling took from the target */
    /* When more of each stack began to be copied, since the start, and what counted until then. */
    uint64_t enlarged_ns, enlarged_hits, enlarged_truncated;
};

/* Samples by module. */
struct module_hits {
    uint64_t innermost; /* whose innermost user frame is in it */
    uint64_t no_cfi;    /* whose stack ends in it, for want of unwind information */
};

/* What readers see of the pipeline's work: replaced as a whole, under the session's mutex. */
struct session_published {
    struct session_counts counts;
    struct profile_thread *threads; /* owned */
    size_t thread_count;
    uint32_t threads_alive;
    size_t processes;     /* living */
    size_t children;      /* living ones that are not followed */
    bool executed_32_bit; /* a program that cannot be profiled */
    uint64_t duration_ns;
    struct module_hits *module_hits; /* owned; by id */
    size_t module_count;
    double daemon_cpu_percent, target_overhead_percent;
};

/* What someone asked the pipeline to do; it answers by changing the state. */
enum session_request { REQUEST_NONE, REQUEST_PAUSE, REQUEST_RESUME, REQUEST_DETACH };

struct session {
    atomic_uint references;
    uint32_t id;

    /* Set before the threads start, constant afterwards. All owned. */
    pid_t pid;
    bool follow;   /* sample its children too */
    bool launched; /* our own child: waited for when it ends */
    int go_fd;     /* closing it lets a launched child execute its command; -1 otherwise */
    uint32_t frequency_hz;
    bool stack_is_fixed; /* as much of each stack is copied as was asked for */
    char *event_wanted, *backend_wanted;
    uint64_t duration_limit_ns, memory_limit_bytes;
    struct source_path *source_paths;
    size_t source_path_count;
    struct target *target;
    struct module_table *modules;
    struct stack_locations *locations;
    struct bucket_store *buckets;
    struct symbols *symbols;
    struct fetcher *fetcher;     /* NULL: nothing is fetched */
    struct saved_profile *saved; /* what was read of a file; NULL: this one has a target */
    struct source_checks source_checks;
    struct kept_sources kept_sources;

    struct cancel attach_cancel; /* wanted once the session goes */
    pthread_t pipeline_thread, symbol_thread;
    bool pipeline_started, symbols_started;

    pthread_mutex_t mutex;  /* guards what follows */
    pthread_cond_t changed; /* state, request, or anything else below */
    pthread_cond_t located; /* the symbol thread has something to do, or shall end */
    enum session_state state;
    enum session_request request;
    uint64_t asked, answered; /* how many requests there were, and how many are done with */
    int answer;               /* to the last one: 0, or why it could not be done */
    bool stopping;            /* the last reference is gone: threads end */
    struct stack_trie *trie;  /* a reference; the pipeline may replace it, and no one else does */
    uint32_t stack_bytes;     /* that are copied of each stack */
    bool stack_is_cut;        /* less than wanted, for want of locked memory */
    char started_at[CLOCK_ISO8601_BYTES]; /* by the wall clock of that moment, and kept */
    char *command, *executable;           /* owned; change when the target executes another image */
    const char *backend, *backend_reason, *event;
    struct session_published published;
    uint64_t behind_s;             /* how old the records are that the pipeline hears, in seconds */
    bool drained;                  /* the pipeline has ended: no location will be added */
    uint32_t locations_done;       /* locations that the symbol thread is through with */
    bool fetching;                 /* debug files are still to come */
    const struct target *replaced; /* borrowed: whose compiled code was; NULL: nobody's */
    uint64_t unresolved_frames;
    unsigned char *module_lacks_debug; /* owned; by module id; 1: its lines cannot be known */
    size_t module_lacks_count, module_lacks_capacity;
    char **module_problems; /* owned, by module id; NULL: none is known */
    size_t module_problem_count, module_problem_capacity;
    char *cache_problem;    /* owned; why symbols are not kept on disk; NULL: they are */
    struct failure failure; /* why the pipeline could not start */
    uint64_t epoch;
};

/* A session without anything; NULL without memory. */
struct session *session_alloc(void);
/* 0 or -ENOMEM. */
int session_copy_options(struct session *session, const struct session_options *options);

/*
 * The file itself, or what was fetched of it; a session that was loaded: what was saved. As
 * session_open_source(), but for the copies that the session keeps. *ret_stale: see
 * SOURCE_STALE.
 */
int session_find_source(struct session *session, uint32_t file, int *ret_fd, bool *ret_stale);

/* A text in memory as a file, as everybody reads sources. 0 or -errno. */
int session_open_text(const char *text, size_t bytes, int *ret_fd);

/* session_find_source() of a session that was loaded: the text as it was when it was saved. */
int session_open_saved_source(const struct session *session, uint32_t file, int *ret_fd,
                              bool *ret_stale);

/* Thread bodies; `user` is the session. */
void *pipeline_main(void *user);
void *symbol_thread_main(void *user);

/* Changes the state under the mutex and tells everyone who waits. */
void session_set_state(struct session *session, enum session_state state);

/* True while samples may still come. */
bool session_state_is_live(enum session_state state);
