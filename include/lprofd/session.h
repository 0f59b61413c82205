/* Sessions: one attached or launched target with its timeline and its data. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/failure.h"

enum session_state {
    SESSION_ATTACHING,
    SESSION_RUNNING,
    SESSION_PAUSED,
    SESSION_EXITED,   /* the target ended; the data stays */
    SESSION_DETACHED, /* sampling was stopped; the data stays */
    SESSION_LOADED,   /* opened from a file */
};

/* "running", ...: as in the API. */
const char *session_state_name(enum session_state state);

/* What options may ask for: NULL-terminated constant lists, "auto" first. */
extern const char *const session_backend_names[];
extern const char *const session_event_names[];

#define SESSION_FREQUENCY_DEFAULT_HZ 997
#define SESSION_FREQUENCY_MAX_HZ 50000
#define SESSION_STACK_DEFAULT_BYTES 16384
#define SESSION_STACK_MAX_BYTES 65000
#define SESSION_MEMORY_DEFAULT_BYTES (UINT64_C(256) << 20)

/* --source-path [OLD=]NEW: what stands for OLD in a source's path; OLD may be "". */
struct source_path {
    char *old_prefix, *new_prefix; /* owned */
};

/* Zero values mean the defaults. All pointers are borrowed during session_start() and copied. */
struct session_options {
    pid_t pid;             /* the target, or 0 to launch `command` */
    char *const *command;  /* NULL-terminated argument vector */
    bool follow;           /* profile the target's children too */
    uint32_t frequency_hz; /* 1 to SESSION_FREQUENCY_MAX_HZ */
    const char *event;     /* one of session_event_names; NULL: "auto" */
    const char *backend;   /* one of session_backend_names; NULL: "auto" */
    uint32_t
        stack_bytes; /* a multiple of 8, 512 to SESSION_STACK_MAX_BYTES; 0: as deep as needed */
    uint64_t duration_ns; /* stop sampling after that long; 0: never */
    uint64_t memory_limit_bytes;
    const struct source_path *source_paths;
    size_t source_path_count;
    const char *symbol_cache; /* directory where symbols are kept, absolute; NULL: nowhere */
};

#define SESSION_WARNINGS_MAX 16

/* The session document of the API, as numbers. Strings are owned by the info. */
struct session_info {
    uint32_t id;
    enum session_state state;
    pid_t pid;
    char *command;                        /* command line, spaces between arguments */
    char *executable;                     /* path */
    char started_at[CLOCK_ISO8601_BYTES]; /* by the wall clock of that moment */
    uint64_t duration_ns;
    const char *backend;        /* constant string */
    const char *backend_reason; /* constant string: why this one */
    const char *event;          /* constant string */
    uint32_t frequency_hz, stack_bytes;
    bool follow;
    uint32_t threads, processes; /* alive now */
    uint32_t threads_seen; /* with those that ended; past some thousands, one for all others */
    struct {
        uint64_t total, lost, throttled, truncated_stacks, unwound_to_root, unresolved_frames;
        uint64_t frame_pointer_stacks; /* with callers found without unwind information */
        uint64_t forgotten; /* part of the total that was dropped, below the memory limit */
    } samples;
    uint64_t sampled_ns, accounted_ns;
    uint64_t unsampled_ns; /* part of the latter that is in no row: aggregate/time_scale.h */
    double daemon_cpu_percent, target_overhead_percent;
    uint64_t rss_bytes;
    uint64_t knows_since_ns;
    uint64_t epoch; /* grows whenever a query could answer differently */
    char *warnings[SESSION_WARNINGS_MAX];
    size_t warning_count;
};

struct session;

/*
 * Begins to attach to options->pid, or launches options->command. The session is returned with one
 * reference, in state SESSION_ATTACHING: wait for its sampling, or give it up with that reference.
 * On failure *ret_failure says why, for a person.
 */
int session_start(const struct session_options *options, struct session **ret_session,
                  struct failure *ret_failure);

/*
 * Waits until sampling runs: that takes long with many busy threads. 0; -EINPROGRESS when it
 * still attaches after `timeout_ns`; or why it cannot, and *ret_failure says so.
 */
int session_wait_attached(struct session *session, uint64_t timeout_ns,
                          struct failure *ret_failure);

/*
 * Saves what is known now as a file that session_load() reads, also on another machine: written
 * beside `path` and put in its place when it is complete, so that what was there stays when that
 * fails. With `with_sources` the texts of source files are saved too. Best when the session has
 * ended and its symbols are complete. 0 or -errno; *ret_failure says why.
 */
int session_save(struct session *session, const char *path, bool with_sources,
                 struct failure *ret_failure);
/* Whether session_save() can write there, as far as that can be known before. */
int session_save_check(const char *path, struct failure *ret_failure);

/*
 * A session of state SESSION_LOADED from a file that session_save() wrote. Of the options only the
 * memory limit and the source paths matter. Whatever the bytes of the file are, nothing is executed
 * and no path that they name is opened. 0 or -errno; *ret_failure says why.
 */
int session_load(const char *path, const struct session_options *options,
                 struct session **ret_session, struct failure *ret_failure);

struct session *session_ref(struct session *session);
/* Drops a reference; the last one stops attaching or sampling, and frees everything. NULL is
 * harmless. */
void session_unref(struct session *session);

/* Stops the numbers from growing, and lets them grow again. -EALREADY when it is so already;
 * -ESRCH when the target is gone. */
int session_pause(struct session *session);
int session_resume(struct session *session);
/* Stops sampling for good; the target runs on and the data stays. */
int session_detach(struct session *session);

/* Waits until the session is no longer running, or `timeout_ns` passed. True when it ended. */
bool session_wait(struct session *session, uint64_t timeout_ns);
/* Waits until every sample taken so far is symbolised, or `timeout_ns` passed. */
bool session_wait_symbols(struct session *session, uint64_t timeout_ns);

int session_info(struct session *session, struct session_info *ret_info);
void session_info_free(struct session_info *info);

/* Larger sources are refused. */
#define SESSION_SOURCE_MAX_BYTES (INT64_C(64) << 20)

enum source_origin {
    SOURCE_FOUND, /* what the program was built from, as far as can be told */
    SOURCE_KEPT,  /* the same: it has changed or gone since, but the session kept the text */
    SOURCE_STALE, /* newer than the module, or not the MD5 of the debug information: lines
                     may be off */
};

/*
 * Opens the source file with this symbols_file() id: through the session's --source-path, else as
 * the debug information names it, with the target's rights inside the target's root, else what
 * session_fetch_source() brought; rather than a stale text or none, a copy of the text that the
 * file had when the session first met it. Regular files up to SESSION_SOURCE_MAX_BYTES. 0; -ENOENT
 * and others; -EINPROGRESS while it is being fetched.
 */
int session_open_source(struct session *session, uint32_t file, int *ret_fd,
                        enum source_origin *ret_origin);

/* *ret_path is the caller's. 0, -ENOENT when there is no such file, -ENAMETOOLONG or -ENOMEM. */
int session_source_path(const struct session *session, uint32_t file, char **ret_path);

/*
 * Asks debuginfod servers for a source that is nowhere else, if its module matters: returns at
 * once. -EINPROGRESS: session_open_source() may find it soon, and the epoch grows then. -ENOENT:
 * nobody has it.
 */
int session_fetch_source(struct session *session, uint32_t file);

/* --- all sessions of this daemon; ids count from 1 -------------------------------------------- */

struct session_registry;
int session_registry_new(struct session_registry **ret_registry);
void session_registry_free(struct session_registry *registry);

/* Keeps a reference of its own and gives the session its id. */
int session_registry_add(struct session_registry *registry, struct session *session,
                         uint32_t *ret_id);
/* Drops the registry's reference. -ENOENT. */
int session_registry_remove(struct session_registry *registry, uint32_t id);
/* A new reference to the session, or NULL. Id 0 is the newest one ("current"). */
struct session *session_registry_get(struct session_registry *registry, uint32_t id);
/* The ids in use, ascending; returns how many, and fills at most `max` of them. */
size_t session_registry_list(struct session_registry *registry, uint32_t *ret_ids, size_t max);
