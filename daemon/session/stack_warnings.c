/* Warnings of stacks that do not reach the root. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "process/runtime.h"
#include "session/warnings.h"

/* Of all samples: what is worth a warning. */
#define EARLY_END_PERCENT 1.0

/* Ends before the root that no option helps against, and what they mean. */
static const struct {
    enum stack_end end;
    const char *text;
} early_ends[] = {
    {STACK_END_OTHER_STACK, "go on on another stack, which is not copied (signal handlers with "
                            "sigaltstack, gcc -fsplit-stack, coroutines, Go's runtime): "
                            "callers there are unknown"},
    {STACK_END_NOT_PRESENT, "end at a page that was not in memory (never touched, or swapped out): "
                            "their callers are unknown"},
    {STACK_END_BAD_MEMORY, "look damaged: taken while it executed another program, overwritten by "
                           "it, or its unwind information is wrong"},
    {STACK_END_UNMAPPED, "lead to addresses where no code is mapped, as they do while it executes "
                         "another program or when records of mappings were lost: their callers "
                         "are unknown"},
};

static void warn_of_truncated_stacks(const struct session *session, struct session_info *info)
{
    const struct session_counts *counts = &session->published.counts;
    uint64_t hits = counts->hits - counts->enlarged_hits;
    double truncated = warning_share(counts->truncated - counts->enlarged_truncated, hits);
    if (counts->enlarged_ns)
        warning_add(
            info,
            "%.1f %% of the stacks of the first %.1f s were deeper than what was copied of them: "
            "since then %" PRIu32 " bytes are copied instead of %d",
            warning_share(counts->enlarged_truncated, counts->enlarged_hits),
            (double)counts->enlarged_ns / (double)NS_PER_SECOND, session->stack_bytes,
            SESSION_STACK_DEFAULT_BYTES);
    if (hits < WARNING_HITS_MIN || truncated < EARLY_END_PERCENT)
        return;
    if (session->stack_is_cut)
        warning_add(info,
                    "%.1f %% of the stacks are deeper than the %" PRIu32 " bytes copied of them",
                    truncated, session->stack_bytes);
    else if (session->stack_bytes < SESSION_STACK_MAX_BYTES)
        warning_add(info,
                    "%.1f %% of the stacks are deeper than the %" PRIu32
                    " bytes copied of them: raise --stack-size (up to %d)",
                    truncated, session->stack_bytes, SESSION_STACK_MAX_BYTES);
    else
        warning_add(
            info,
            "%.1f %% of the stacks are deeper than the %d bytes that can be copied of them: "
            "their outermost callers are unknown",
            truncated, SESSION_STACK_MAX_BYTES);
}

/* Needs the mutex. In which module most stacks end for want of unwind information; NULL: none. */
static const struct module *worst_without_cfi(const struct session *session)
{
    uint64_t worst_hits = 0;
    const struct module *worst = NULL;
    for (uint32_t id = 1; id < session->published.module_count; id++) {
        uint64_t hits = session->published.module_hits[id].no_cfi;
        if (hits > worst_hits) {
            worst_hits = hits;
            worst = module_table_get(session->modules, id);
        }
    }
    return worst;
}

/* Comes from a distribution, and is not built by whoever profiles it. */
static bool is_of_system(const struct module *module)
{
    static const char *const folders[] = {
        "/lib/",       "/lib64/",   "/bin/",      "/sbin/",        "/usr/lib/",
        "/usr/lib64/", "/usr/bin/", "/usr/sbin/", "/usr/libexec/",
    };
    for (size_t i = 0; i < array_length(folders); i++)
        if (strncmp(module->path, folders[i], strlen(folders[i])) == 0)
            return true;
    return module->kind == MODULE_VDSO;
}

/* What lets the runtime keep frame pointers; NULL: nothing, or it was done already. */
static const char *advise_frame_pointers(const struct session *session, const char *runtime)
{
    const char *advice = runtime ? runtime_frame_pointers(runtime) : NULL;
    const char *naming = runtime ? runtime_naming(runtime) : NULL;
    bool is_done = advice && naming && strcmp(advice, naming) == 0 &&
                   symbols_jit(session->symbols).named > 0; /* the same option gives names */
    return is_done ? "the option that keeps frame pointers is on, and none helps the code that has "
                     "none all the same"
                   : advice;
}

static void warn_of_no_cfi(const struct session *session, struct session_info *info)
{
    const struct session_counts *counts = &session->published.counts;
    const struct module *module = worst_without_cfi(session);
    double share = warning_share(counts->ended[STACK_END_NO_CFI], counts->hits);
    if (share < EARLY_END_PERCENT || !module)
        return;
    const char *runtime = session->executable ? runtime_of_name(session->executable) : NULL;
    const char *advice = advise_frame_pointers(session, runtime);
    if (module->open_error && module->open_error != ENOEXEC)
        warning_add(
            info,
            "%.1f %% of the stacks end early in code whose unwind information could not be read, "
            "most of them in %s, which could not be opened",
            share, module->path);
    else if (module->kind == MODULE_ANONYMOUS)
        warning_add(
            info,
            "%.1f %% of the stacks end early in code without unwind information, most of them in "
            "code that %s compiled at run time: %s",
            share, runtime ? runtime : "the target",
            advice ? advice : "if its compiler can keep frame pointers, let it");
    else
        warning_add(
            info,
            "%.1f %% of the stacks end early in code without unwind information, most of them in "
            "%s: %s",
            share, module->path,
            is_of_system(module)
                ? "it comes with the system and has functions that say nothing, as those written "
                  "in assembly; no option helps"
                : "build it with unwind tables or frame pointers, if its compiler can (gcc and "
                  "clang: "
                  "-fasynchronous-unwind-tables or -fno-omit-frame-pointer; assembly: .cfi "
                  "directives)");
}

void session_warn_of_stacks(const struct session *session, struct session_info *info)
{
    const struct session_counts *counts = &session->published.counts;
    if (counts->hits < WARNING_HITS_MIN)
        return;
    warn_of_truncated_stacks(session, info);
    warn_of_no_cfi(session, info);
    for (size_t i = 0; i < array_length(early_ends); i++) {
        double share = warning_share(counts->ended[early_ends[i].end], counts->hits);
        if (share >= EARLY_END_PERCENT)
            warning_add(info, "%.1f %% of the stacks %s", share, early_ends[i].text);
    }
}
