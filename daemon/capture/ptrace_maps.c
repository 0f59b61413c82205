/*
 * When to read /proc/PID/maps again. No cheaper file tells of every change: a library in the place
 * of another one of its size leaves the sizes in statm as they were. So what a look costs is
 * measured, and the next one comes when that is a small share of the time since.
 */
#include "capture/ptrace_maps.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lprofd/privilege.h"

/* Time between looks for each that they take. */
#define COST_FACTOR 20
#define INTERVAL_MAX_NS NS_PER_SECOND
/* Looks come with ticks, later than they are due; what that spares comes after, if it is little. */
#define CARRY_MAX_NS (2 * NS_PER_MS)

#define TEXT_BYTES_MAX ((size_t)64 << 20)

static int read_latest(struct ptrace_maps *maps, pid_t pid)
{
    _cleanup_close_ int fd = -1;
    int error = privilege_open_proc(pid, 0, PROC_MAPS, &fd);
    maps->latest.length = 0;
    if (!error)
        error = text_read(&maps->latest, fd, TEXT_BYTES_MAX);
    if (!error && maps->latest.length == 0) /* what runs has code: this is of one that ended */
        error = -ESRCH;
    if (error)
        text_free(&maps->latest);
    return error;
}

/* "start-end perms ..." (proc_pid_maps(5)). */
static bool is_executable(const char *line, size_t bytes)
{
    const char *space = memchr(line, ' ', bytes);
    return space && space + 3 < line + bytes && space[3] == 'x';
}

/* Moves the executable lines to the front, and drops the others. */
static void keep_executable(struct text *text)
{
    size_t kept = 0;
    for (size_t at = 0; at < text->length;) {
        char *line = text->bytes + at;
        const char *newline = memchr(line, '\n', text->length - at);
        size_t line_bytes = newline ? (size_t)(newline + 1 - line) : text->length - at;
        if (is_executable(line, line_bytes)) {
            memmove(text->bytes + kept, line, line_bytes);
            kept += line_bytes;
        }
        at += line_bytes;
    }
    if (text->length)
        text->bytes[kept] = '\0';
    text->length = kept;
}

static bool is_same(const struct text *first, const struct text *second)
{
    return first->length == second->length &&
           (first->length == 0 || memcmp(first->bytes, second->bytes, first->length) == 0);
}

/*
 * By CPU time: waiting for a CPU costs the target nothing. One look that takes much longer than the
 * last says little of the next: a cold cache, a lock that the target held.
 */
static void plan_next(struct ptrace_maps *maps, uint64_t now_ns, uint64_t cost_ns)
{
    if (maps->cost_ns && cost_ns > 2 * maps->cost_ns)
        cost_ns = 2 * maps->cost_ns;
    maps->cost_ns = cost_ns;
    uint64_t from_ns = now_ns - maps->due_ns < CARRY_MAX_NS ? maps->due_ns : now_ns - CARRY_MAX_NS;
    uint64_t interval_ns = cost_ns * COST_FACTOR;
    maps->due_ns = from_ns + (interval_ns < INTERVAL_MAX_NS ? interval_ns : INTERVAL_MAX_NS);
}

int ptrace_maps_look(struct ptrace_maps *maps, pid_t pid)
{
    uint64_t now_ns = clock_monotonic_ns(), start_ns = clock_thread_cpu_ns();
    int error = read_latest(maps, pid);
    keep_executable(&maps->latest);
    bool is_news = !error && (now_ns - maps->told_ns >= INTERVAL_MAX_NS ||
                              !is_same(&maps->latest, &maps->known));
    if (is_news) {
        struct text old = maps->known;
        maps->known = maps->latest;
        maps->latest = old;
        maps->told_ns = now_ns;
    }
    plan_next(maps, now_ns, clock_thread_cpu_ns() - start_ns);
    return error ? error : is_news;
}

void ptrace_maps_forget(struct ptrace_maps *maps)
{
    maps->due_ns = maps->told_ns = 0;
}

void ptrace_maps_free(struct ptrace_maps *maps)
{
    text_free(&maps->known);
    text_free(&maps->latest);
    *maps = (struct ptrace_maps){0};
}
