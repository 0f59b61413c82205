/*
 * A profile: what queries read of a session. A view is a consistent snapshot that costs nothing
 * to take: it holds references to sealed, immutable buckets, and never blocks sampling.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lprofd/module.h"
#include "lprofd/symbols.h"
#include "lprofd/trie.h"

/* Samples of one thread with one stack within one bucket. */
struct bucket_entry {
    uint32_t node;   /* stack_trie node */
    uint32_t thread; /* index into profile_view.threads */
    uint32_t hits;   /* samples */
    uint64_t weight_ns;
};

/* Counts of the samples with start_ns <= time < end_ns (since the session's start). Immutable. */
struct bucket {
    uint64_t start_ns, end_ns;
    size_t count;
    struct bucket_entry entries[]; /* sorted by (node, thread), unique */
};

enum thread_state { THREAD_RUNNING, THREAD_SLEEPING, THREAD_STOPPED, THREAD_EXITED };

struct profile_thread {
    pid_t pid, tid; /* 0 for an entry that stands for several threads */
    char name[64];
    enum thread_state state;
    uint64_t hits, sampled_ns; /* all its samples, and their weights */
    uint64_t accounted_ns;     /* CPU time that the kernel accounts for it while sampling ran */
};

struct profile_view {
    const struct stack_trie *trie;
    const struct symbols *symbols;
    uint32_t node_count; /* nodes in the trie at the snapshot; buckets name no others */
    uint32_t module_count;
    const struct bucket *const *buckets; /* oldest first, not overlapping */
    size_t bucket_count;
    const struct profile_thread *threads;
    size_t thread_count;
    uint64_t duration_ns;      /* end of the newest bucket */
    uint64_t knows_since_ns;   /* older buckets were dropped to stay below the memory limit */
    uint64_t period_ns;        /* nominal weight of one sample */
    uint64_t hits, sampled_ns; /* sums over all buckets of the session, dropped ones included */
    uint64_t accounted_ns;     /* CPU time of the process by the kernel's books while sampling */
};

struct session;

/* Takes a snapshot. Free it with profile_view_free(). 0 or -ENOMEM. */
int session_view(struct session *session, struct profile_view **ret_view);
void profile_view_free(struct profile_view *view);

/* A module of the session by id, below view->module_count. Id 0 is MODULE_NONE. */
const struct module *profile_view_module(const struct profile_view *view, uint32_t id);
