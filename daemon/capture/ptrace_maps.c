/*
 * When to read /proc/PID/maps again. No cheaper file tells of every change: a library in the place
 * of another one of its size leaves the sizes in statm as they were. So what a look costs is
 * measured, and the next one comes when that is a small share of the time since.
 */
#include "capture/ptrace_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/negative_errno.h"
#include "lprofd/privilege.h"

/* Time between looks for each that they take. */
#define COST_FACTOR 20
#define INTERVAL_MAX_NS NS_PER_SECOND
/* Looks come with ticks, later than they are due; what that spares comes after, if it is little. */
#define CARRY_MAX_NS (2 * NS_PER_MS)

#define TEXT_BYTES_MAX ((size_t)64 << 20)
#define READ_BYTES 4096 /* what the kernel gives at once */

static int read_text(struct ptrace_maps *maps, pid_t pid, size_t *ret_bytes)
{
    _cleanup_close_ int fd = -1;
    int error = privilege_open_proc(pid, 0, PROC_MAPS, &fd);
    if (error)
        return error;
    size_t bytes = 0;
    for (;;) {
        if (bytes > TEXT_BYTES_MAX)
            return -EFBIG;
        if (array_reserve(&maps->text, &maps->text_capacity, bytes + READ_BYTES + 1, 1))
            return -ENOMEM;
        ssize_t got = read(fd, maps->text + bytes, maps->text_capacity - bytes - 1);
        if (got < 0 && errno != EINTR)
            return negative_errno();
        if (got == 0)
            break;
        if (got > 0)
            bytes += (size_t)got;
    }
    *ret_bytes = bytes;
    return 0;
}

/* "start-end perms ..." (proc_pid_maps(5)). */
static bool is_executable(const char *line, size_t bytes)
{
    const char *space = memchr(line, ' ', bytes);
    return space && space + 3 < line + bytes && space[3] == 'x';
}

/* Moves the executable lines to the front. Returns their bytes. */
static size_t keep_executable(char *text, size_t bytes)
{
    size_t kept = 0;
    for (size_t at = 0; at < bytes;) {
        const char *newline = memchr(text + at, '\n', bytes - at);
        size_t line_bytes = newline ? (size_t)(newline + 1 - text) - at : bytes - at;
        if (is_executable(text + at, line_bytes)) {
            memmove(text + kept, text + at, line_bytes);
            kept += line_bytes;
        }
        at += line_bytes;
    }
    return kept;
}

/* `text` becomes what is known, and the other way round. */
static void take_text(struct ptrace_maps *maps, size_t bytes)
{
    char *text = maps->text;
    size_t capacity = maps->text_capacity;
    maps->text = maps->known;
    maps->text_capacity = maps->known_capacity;
    maps->known = text;
    maps->known_capacity = capacity;
    maps->known_bytes = bytes;
    text[bytes] = '\0';
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
    size_t bytes = 0;
    int error = read_text(maps, pid, &bytes);
    if (!error)
        bytes = keep_executable(maps->text, bytes);
    bool is_news =
        !error && (bytes != maps->known_bytes || now_ns - maps->told_ns >= INTERVAL_MAX_NS ||
                   memcmp(maps->text, maps->known, bytes) != 0);
    if (is_news) {
        take_text(maps, bytes);
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
    free(maps->known);
    free(maps->text);
    *maps = (struct ptrace_maps){0};
}
