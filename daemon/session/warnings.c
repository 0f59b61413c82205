/* What is wrong with a session's numbers or could be better, in words for people. */
#include "session/warnings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "process/runtime.h"
#include "session/fetched.h"

/* Of all samples: what is worth a warning. */
#define UNNAMED_PERCENT 1.0
#define UNSAMPLED_PERCENT 1.0
/* Less CPU time of children than this is not worth a word. */
#define CHILDREN_NS_MIN (200 * NS_PER_MS)

void warning_add(struct session_info *info, const char *format, ...)
{
    if (info->warning_count == SESSION_WARNINGS_MAX)
        return;
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) >= 0)
        info->warnings[info->warning_count++] = text;
    va_end(arguments);
}

static void warn_of_samples(const struct session *session, struct session_info *info)
{
    const struct session_counts *counts = &session->published.counts;
    if (counts->lost)
        warning_add(info,
                    "%" PRIu64
                    " records were lost because lprofd was kept from reading them: lower "
                    "--frequency or --stack-size",
                    counts->lost);
    if (session->behind_s)
        warning_add(info,
                    "lprofd is %" PRIu64
                    " s behind, and what happened since is not counted yet: more processes start "
                    "and end than it has the CPU time to hear of",
                    session->behind_s);
    if (counts->strays)
        warning_add(info,
                    "%" PRIu64 " samples were left out: they are of processes that had ended "
                    "before lprofd knew of them, or that it may not look into",
                    counts->strays);
    if (counts->throttled)
        warning_add(info,
                    "the kernel throttled sampling %" PRIu64 " times: lower --frequency, or raise "
                    "kernel.perf_event_max_sample_rate",
                    counts->throttled);
    if (counts->ended[STACK_END_MEMORY_LIMIT])
        warning_add(info,
                    "the callers of %" PRIu64
                    " samples were not kept, to stay below the memory limit: raise "
                    "--memory-limit",
                    counts->ended[STACK_END_MEMORY_LIMIT]);
    session_warn_of_stacks(session, info);
}

static void warn_of_unsampled_time(const struct session *session, struct session_info *info)
{
    double share = warning_share(info->unsampled_ns, info->accounted_ns);
    if (session->published.counts.hits >= WARNING_HITS_MIN && share >= UNSAMPLED_PERCENT)
        warning_add(
            info,
            "%.1f %% of the CPU time is in no row: threads used it that no sample met, or next to "
            "none, as when they work for less than a sample's time whenever they wake up",
            share);
}

/* Of what the memory limit has cost, in the order in which it does. */
static void warn_of_losses(const struct bucket_losses *losses, struct session_info *info)
{
    if (losses->coarse_ns)
        warning_add(info,
                    "what is older than a minute is kept in steps of up to %" PRIu64
                    " seconds, to stay below the memory limit: raise --memory-limit",
                    losses->coarse_ns / NS_PER_SECOND);
    if (losses->knows_since_ns)
        warning_add(info,
                    "what is older than second %" PRIu64
                    " was forgotten, to stay below the memory limit: raise --memory-limit",
                    losses->knows_since_ns / NS_PER_SECOND);
}

/* Of a target that mostly waits for others. */
static void warn_of_children(const struct session *session, struct session_info *info)
{
    const struct session_counts *counts = &session->published.counts;
    if (counts->children_ns < CHILDREN_NS_MIN || counts->children_ns <= counts->accounted_ns)
        return;
    warning_add(
        info,
        "the target's child processes (%zu now) used %.1f s of CPU time and it itself %.1f s: "
        "profile them too with --follow, or attach to one of them",
        session->published.children, (double)counts->children_ns / (double)NS_PER_SECOND,
        (double)counts->accounted_ns / (double)NS_PER_SECOND);
}

/* Needs the mutex. Samples whose innermost user frame is in modules of a kind. */
static uint64_t hits_in(const struct session *session, enum module_kind kind)
{
    uint64_t hits = 0;
    for (uint32_t id = 1; id < session->published.module_count; id++)
        if (module_table_get(session->modules, id)->kind == kind)
            hits += session->published.module_hits[id].innermost;
    return hits;
}

static bool has_jitdump(const struct session *session)
{
    for (uint32_t id = 1; id < module_table_count(session->modules); id++)
        if (module_table_get(session->modules, id)->kind == MODULE_JITDUMP)
            return true;
    return false;
}

static void warn_of_names(const struct session *session, double share, struct session_info *info)
{
    const char *runtime = session->executable ? runtime_of_name(session->executable) : NULL;
    const char *advice = runtime ? runtime_naming(runtime) : NULL;
    if (has_jitdump(session))
        warning_add(
            info,
            "%.0f %% of the samples are in compiled code that the target's jitdump says nothing "
            "of yet: some compilers write it late (V8 in pieces of 2 MB)",
            share);
    else
        warning_add(info,
                    "%.0f %% of the samples are in code that %s compiled at run time, which has no "
                    "names: %s",
                    share, runtime ? runtime : "the target",
                    advice ? advice : "let its compiler write /tmp/perf-PID.map or a jitdump");
}

/* Code that was compiled at run time is known by what its compiler tells. */
static void warn_of_compiled_code(const struct session *session, struct session_info *info)
{
    uint64_t hits = session->published.counts.hits;
    double share = warning_share(hits_in(session, MODULE_ANONYMOUS), hits);
    struct symbol_jit jit = symbols_jit(session->symbols);
    if (hits >= WARNING_HITS_MIN && share >= UNNAMED_PERCENT && 2 * jit.named < jit.locations)
        warn_of_names(session, share, info);
    if (jit.problems & SYMBOL_JIT_FUNCTION_LINES && share >= UNNAMED_PERCENT)
        warning_add(info,
                    "of some compiled code only the function is known, and its samples are shown "
                    "at the function's first line: node tells lines with --perf-prof");
    if (jit.problems & SYMBOL_JIT_FOREIGN)
        warning_add(info,
                    "a file that the target maps as its jitdump is none that can be read here");
    if (jit.problems & SYMBOL_JIT_DAMAGED)
        warning_add(info,
                    "the target's jitdump has broken records: some names or lines are missing");
    if (jit.problems & SYMBOL_JIT_TOO_LARGE)
        warning_add(info,
                    "the target's perf map or jitdump is too large and was not read to its end: "
                    "some names or lines are missing");
}

static void warn_of_debug_info(const struct session *session, const struct module *module,
                               double share, struct session_info *info)
{
    struct fetch_status status = fetcher_debug_file_status(session->fetcher, module);
    _cleanup_free_ char *fetch = session_describe_fetch(session, module);
    if (fetch && status.state != FETCH_FAILED)
        warning_add(info, "%s", fetch);
    else
        warning_add(
            info,
            "%s has no debug information%s%s, and %.0f %% of the samples: install its -dbg or "
            "-dbgsym package, or build it with -g",
            module->path, fetch ? ", " : "", fetch ? fetch : "", share);
}

/* What is wrong with the module's debug information, or NULL. */
static const char *problem_of(const struct session *session, uint32_t module)
{
    return module < session->module_problem_count ? session->module_problems[module] : NULL;
}

static void warn_of_problem(const struct session *session, uint32_t id, struct session_info *info)
{
    const char *path = module_table_get(session->modules, id)->path;
    double share;
    if (session_module_matters(session, id, &share))
        warning_add(info, "%s, with %.0f %% of the samples: %s", path, share,
                    problem_of(session, id));
    else
        warning_add(info, "%s: %s", path, problem_of(session, id));
}

static void warn_of_modules(const struct session *session, struct session_info *info)
{
    for (uint32_t id = 1; id < session->module_lacks_count; id++) {
        const struct module *module = module_table_get(session->modules, id);
        double share;
        if (session->module_lacks_debug[id] && module->kind == MODULE_FILE &&
            !problem_of(session, id) && session_module_matters(session, id, &share))
            warn_of_debug_info(session, module, share, info);
    }
    for (uint32_t id = 1; id < session->module_problem_count; id++)
        if (problem_of(session, id))
            warn_of_problem(session, id, info);
    _cleanup_free_ char *sources = session_describe_source_fetches(session);
    if (sources)
        warning_add(info, "%s", sources);
}

/* Modules that could not be opened for want of descriptors, and all else that could not. */
static void warn_of_descriptors(const struct session *session, struct session_info *info)
{
    uint32_t unopened = 0;
    for (uint32_t id = 1; id < module_table_count(session->modules); id++) {
        int error = module_table_get(session->modules, id)->open_error;
        unopened += error == EMFILE || error == ENFILE;
    }
    uint64_t failures = session->published.counts.descriptor_failures + unopened;
    if (failures)
        warning_add(
            info,
            "lprofd had no file descriptor left %" PRIu64 " times: lines of %" PRIu32 " modules, "
            "and new threads or mappings, may be unknown; raise `ulimit -n` and attach again",
            failures, unopened);
}

static void warn_of_locked_memory(const struct session *session, struct session_info *info)
{
    static const char remedy[] =
        "raise `ulimit -l`, or kernel.perf_event_mlock_kb, and attach again";
    uint64_t failures = session->published.counts.memory_failures;
    if (session->stack_is_cut)
        warning_add(info,
                    "too little memory may be locked to copy more than %" PRIu32 " bytes of each "
                    "stack: %s",
                    session->stack_bytes, remedy);
    if (failures)
        warning_add(info,
                    "new threads found no memory left that may be locked %" PRIu64
                    " times, and were not "
                    "sampled at first or at all: %s",
                    failures, remedy);
}

static void warn_of_session(const struct session *session, struct session_info *info)
{
    if (session->failure.error)
        warning_add(info, "%s", session->failure.text);
    if (session->target->root_fd < 0)
        warning_add(info,
                    "the target's root directory may not be opened: sources and debug files are "
                    "looked for in lprofd's own");
    if (session->published.executed_32_bit)
        warning_add(info, "a 32-bit program was executed, whose samples have no stack and no line: "
                          "lprofd profiles 64-bit programs");
    if (strcmp(session->backend, "ptrace") == 0)
        warning_add(
            info, "sampled by ptrace, which stops the target for each sample and does not see the "
                  "kernel: `lprof doctor` says what perf events would need");
    warn_of_samples(session, info);
    warn_of_unsampled_time(session, info);
    warn_of_children(session, info);
    warn_of_descriptors(session, info);
    warn_of_locked_memory(session, info);
    warn_of_modules(session, info);
    warn_of_compiled_code(session, info);
    if (session->cache_problem)
        warning_add(info, "%s", session->cache_problem);
}

/* Those of the time when it was saved. */
static void copy_saved_warnings(const struct session *session, struct session_info *info)
{
    for (size_t i = 0; i < session->saved->info.warning_count; i++)
        warning_add(info, "%s", session->saved->info.warnings[i]);
}

void session_warn(const struct session *session, const struct bucket_losses *losses,
                  struct session_info *info)
{
    if (session->saved) {
        copy_saved_warnings(session, info);
    } else {
        warn_of_losses(losses, info);
        warn_of_session(session, info);
    }
}
