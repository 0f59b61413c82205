/*
 * One thread of a session that fetches what its symbols and its readers lack from debuginfod
 * servers. Nothing waits for it: work is queued, and its results are there some time later.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lprofd/module.h"

struct fetcher;

enum fetch_state { FETCH_NONE, FETCH_QUEUED, FETCH_RUNNING, FETCH_DONE, FETCH_FAILED };

/* `changed` is called from the fetching thread, without a lock, when a fetch changed its state. */
int fetcher_new(void (*changed)(void *user), void *user, struct fetcher **ret_fetcher);
/* Ends the transfer that runs, and the thread. NULL is harmless, as it is for all others. */
void fetcher_free(struct fetcher *fetcher);

/* Queues the module's debug file, once. The module is borrowed. */
void fetcher_want_debug_file(struct fetcher *fetcher, const struct module *module);
/* Queues a source of the module by its absolute name, once; FETCH_NONE: it cannot be queued. */
enum fetch_state fetcher_want_source(struct fetcher *fetcher, const struct module *module,
                                     const char *name);

/* A debug file that has come. The descriptors are the taker's; alternate_fd may be -1. */
struct fetched_debug {
    const struct module *module;
    int fd, alternate_fd;
};

/* Takes a debug file that nobody took yet. False when there is none. */
bool fetcher_take_debug_file(struct fetcher *fetcher, struct fetched_debug *ret_fetched);
/* The taken file was of no use: it counts as failed. */
void fetcher_reject_debug_file(struct fetcher *fetcher, const struct module *module, int error);

/* A debug file is still to come, or to be taken. */
bool fetcher_is_busy(struct fetcher *fetcher);

/* What is known of a fetch. */
struct fetch_status {
    enum fetch_state state;
    uint64_t bytes; /* received, while it runs */
    int error;      /* why it failed; -ENOENT: no server has it */
};

struct fetch_status fetcher_debug_file_status(struct fetcher *fetcher, const struct module *module);

/* Where the fetched copy of a source is, malloc'ed in *ret_path (NULL unless FETCH_DONE). */
enum fetch_state fetcher_source(struct fetcher *fetcher, const struct module *module,
                                const char *name, char **ret_path);

/* Sources: how many are still to come, and how many failed, with the name of one (malloc'ed). */
struct fetch_summary {
    size_t waiting, failed;
    char *waiting_name, *failed_name; /* owned; may be NULL */
    int error;                        /* of failed_name */
};

void fetcher_summarize_sources(struct fetcher *fetcher, struct fetch_summary *ret_summary);
