/*
 * Symbols: from (module, vaddr) to functions, files, lines and inline chains.
 *
 * A `struct symbols` belongs to one session. One thread (the session's symbol thread) calls
 * symbols_resolve_*(); any number of threads read what is published between symbols_lock_shared()
 * and symbols_unlock().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lprofd/module.h"
#include "lprofd/privilege.h"

/* How much is known about a location, and if less than a line, why. */
enum symbol_status {
    SYMBOL_PENDING,       /* not looked at yet */
    SYMBOL_NAME_ONLY,     /* ELF symbol published, lines still to come */
    SYMBOL_LINE,          /* everything: at least one frame with file and line */
    SYMBOL_NO_DEBUG_INFO, /* the module has no DWARF here (install its -dbg / -dbgsym package), or
                             cannot have any: its file is not ELF */
    SYMBOL_NO_LINE,       /* DWARF is there but says nothing about this address */
    SYMBOL_NO_MODULE,     /* not in a file: JIT code (which may have a name), a stack end */
    SYMBOL_KERNEL,        /* kernel code: named, but its lines are not looked up */
    SYMBOL_UNREADABLE,    /* the module's file could not be read or is a damaged ELF file */
    SYMBOL_DAMAGED,       /* its debug information is not valid DWARF, or more than is held */
    SYMBOL_STATUS_COUNT
};

/* One or two words for a reason in JSON: "no_debug_info", ... */
const char *symbol_status_name(enum symbol_status status);

/* A resolved frame. Ids index symbols_function() and symbols_file(); 0 means unknown. */
struct frame {
    uint32_t function;
    uint32_t file;
    uint32_t line;   /* from 1; 0 unknown */
    uint32_t column; /* from 1; 0 unknown */
};

/* The frames of one raw frame: innermost inlined function first, physical function last. */
struct frame_span {
    const struct frame *frames; /* borrowed, valid while the shared lock is held */
    uint32_t count;             /* at least 1 once a name was published; 0 while pending */
    enum symbol_status status;
};

struct symbol_function {
    const char *name;    /* demangled, or "[libfoo.so+0x1234]"; "[file]" when that is not ELF */
    uint32_t module;     /* module id */
    uint32_t file, line; /* where it is declared; 0 unknown */
};

struct symbol_file {
    const char *path;      /* absolute where the debug information allows it */
    const char *named;     /* to be opened: the same with its "..", as a link may be before them */
    const char *directory; /* DW_AT_comp_dir of the unit that named it, "" unknown */
    uint32_t module;       /* the first module that named it */
    bool has_md5;          /* DWARF 5 line tables may carry the source's MD5 */
    unsigned char md5[16];
};

struct symbols;

/* The targets of modules must outlive the symbols. 0 or -ENOMEM. */
int symbols_new(struct symbols **ret_symbols);
void symbols_free(struct symbols *symbols);

/*
 * The session ends: what the thread that resolves is at, and whatever it asks for from now on that
 * would take files long, fails with -ECANCELED. For any thread.
 */
void symbols_cancel(struct symbols *symbols);

/*
 * Keeps lines of modules with much debug information in this directory, an absolute path, and
 * uses those that are there from earlier sessions. Call it before the first module is asked for. 0
 * or -ENOMEM.
 */
int symbols_use_cache(struct symbols *symbols, const char *directory);

/* A location to resolve: `location` is the caller's dense id, from 0. */
struct symbol_request {
    uint32_t location;
    bool is_return_address; /* look up vaddr - 1 */
    uint64_t vaddr;
};

/*
 * Publishes names of `count` locations in `module` from its ELF symbol tables (own and split debug
 * file's), demangled; the kernel's from /proc/kallsyms. Every location has one frame and at least
 * SYMBOL_NAME_ONLY (or a final status when lines cannot follow) afterwards. 0 or -errno for
 * conditions like ENOMEM; a broken file is a status, not an error.
 */
int symbols_resolve_names(struct symbols *symbols, const struct module *module,
                          const struct symbol_request *requests, size_t count);

/*
 * Publishes lines of those locations that are known from earlier sessions, which takes next to no
 * time, and moves the others to the front: *ret_left of them. 0 or -errno.
 */
int symbols_resolve_kept_lines(struct symbols *symbols, const struct module *module,
                               struct symbol_request *requests, size_t count, size_t *ret_left);

/*
 * Reads what symbols_resolve_lines() will need of the module, unless it has been read; what the
 * `requests` that follow will need is decoded at once. That takes seconds for hundreds of MB;
 * `meanwhile` is called every few milliseconds, and may resolve names. 0 or -errno.
 */
int symbols_load_lines(struct symbols *symbols, const struct module *module,
                       const struct symbol_request *requests, size_t count,
                       void (*meanwhile)(void *user), void *user);

/*
 * Publishes files, lines and inline chains of the same locations from DWARF 4/5. Every location has
 * a final status afterwards.
 */
int symbols_resolve_lines(struct symbols *symbols, const struct module *module,
                          const struct symbol_request *requests, size_t count);

/*
 * Does a few milliseconds of the work of keeping lines for later sessions. False when nothing is
 * left to do. Only for the thread that resolves, when it has nothing better to do.
 */
bool symbols_keep_some(struct symbols *symbols);

/* Why nothing is kept, for people: malloc'ed, or NULL. Only for the thread that resolves. */
char *symbols_cache_problem(const struct symbols *symbols);

/*
 * What is missing of the module's debug information beside what statuses say (split debug files,
 * another format), for people: malloc'ed, or NULL. Only for the thread that resolves.
 */
char *symbols_problem(const struct symbols *symbols, const struct module *module);

/*
 * A debug file for `module` that came from elsewhere, and the dwz file it refers to (-1: none);
 * takes over both descriptors. Locations resolve with it from now on; those resolved before must be
 * asked for again. -ESTALE when its build-id is not the module's, -ENODATA when it has no lines.
 */
int symbols_add_debug_file(struct symbols *symbols, const struct module *module, int fd,
                           int alternate_fd);

/*
 * Looks whether run-time compilers have told more of their code (in /tmp/perf-PID.map and in
 * jitdumps), and publishes that of locations that were resolved before. Call it often: it looks
 * only a few times in a second, or right now when `now` is set. *ret_named is how many locations
 * have a name that had none. 0 or -ENOMEM.
 */
int symbols_refresh(struct symbols *symbols, bool now, size_t *ret_named);

/*
 * A module of kind MODULE_JITDUMP tells of its target's anonymous code from now on. 0, -ENOMEM, or
 * -ENOSPC when the target has too many.
 */
int symbols_add_jitdump(struct symbols *symbols, const struct module *module);

/*
 * A process of which sampled code was replaced by other code at the same addresses since the last
 * call: what is sampled there from now on needs locations of its own. NULL when there is none.
 */
const struct target *symbols_take_replaced(struct symbols *symbols);

/* What is worth telling people about code that was compiled at run time, as bits. */
enum symbol_jit_problem {
    SYMBOL_JIT_FOREIGN = 1,        /* a jitdump is none, or another machine's */
    SYMBOL_JIT_DAMAGED = 2,        /* a jitdump has broken records */
    SYMBOL_JIT_TOO_LARGE = 4,      /* a file was not read to its end */
    SYMBOL_JIT_FUNCTION_LINES = 8, /* of some code only the line where its function begins */
};

struct symbol_jit {
    size_t locations, named; /* in anonymous code: asked for so far, and those with a name */
    unsigned problems;       /* enum symbol_jit_problem */
};

/* Any thread, without the lock. */
struct symbol_jit symbols_jit(const struct symbols *symbols);

/* A location that is no module's (module 0): publishes `name` as its only frame. */
int symbols_publish_name(struct symbols *symbols, uint32_t location, const char *name);

/*
 * What was published elsewhere, and is only read from now on: files, then functions, each in the
 * order of their ids from 1, then locations. 0, -ENOMEM, or -EINVAL when something is there twice
 * or names what is not there.
 */
int symbols_restore_file(struct symbols *symbols, const struct symbol_file *file);
int symbols_restore_function(struct symbols *symbols, const struct symbol_function *function);
int symbols_restore_location(struct symbols *symbols, uint32_t location, const struct frame *frames,
                             size_t count, enum symbol_status status);
#define SYMBOL_FRAMES_MAX 512 /* of one location */
void symbols_restore_jit(struct symbols *symbols, const struct symbol_jit *jit);

void symbols_lock_shared(const struct symbols *symbols);
void symbols_unlock(const struct symbols *symbols);

/* The rest needs the shared lock. O(1). Counts include id 0. */
struct frame_span symbols_frames(const struct symbols *symbols, uint32_t location);
struct symbol_function symbols_function(const struct symbols *symbols, uint32_t id);
struct symbol_file symbols_file(const struct symbols *symbols, uint32_t id);
uint32_t symbols_function_count(const struct symbols *symbols);
uint32_t symbols_file_count(const struct symbols *symbols);
/* Grows with every publication: a cached query is stale when it changed. */
uint64_t symbols_generation(const struct symbols *symbols);

/* Memory held, in bytes. */
size_t symbols_bytes(const struct symbols *symbols);
