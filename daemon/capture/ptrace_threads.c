/* A sorted table of threads, and what /proc says of each. */
#include "capture/ptrace_threads.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "capture/descriptors.h"
#include "lprofd/privilege.h"

/* Field 39 of the line; the state, field 3, is what follows the name. */
#define FIELDS_FROM_STATE_TO_CPU 36

/* Position of the first thread whose tid is not below `tid`. */
static size_t lower_bound(const struct traced_threads *threads, pid_t tid)
{
    size_t low = 0;
    size_t high = threads->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (threads->threads[middle].tid < tid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct traced_thread *traced_threads_find(const struct traced_threads *threads, pid_t tid)
{
    size_t at = lower_bound(threads, tid);
    return at < threads->count && threads->threads[at].tid == tid ? &threads->threads[at] : NULL;
}

/* Numbers are given from the lowest: one beyond the budget is needed by others. */
static int open_kept(pid_t pid, pid_t tid, enum proc_file file)
{
    _cleanup_close_ int fd = -1;
    if (privilege_open_proc(pid, tid, file, &fd) || (size_t)fd >= descriptor_budget())
        return -1;
    return take_fd(&fd);
}

int traced_threads_add(struct traced_threads *threads, pid_t tid)
{
    size_t at = lower_bound(threads, tid);
    if (at < threads->count && threads->threads[at].tid == tid)
        return -EEXIST;
    int error = array_reserve(&threads->threads, &threads->capacity, threads->count + 1,
                              sizeof *threads->threads);
    if (error)
        return error;
    struct traced_thread *thread = &threads->threads[at];
    memmove(thread + 1, thread, (threads->count - at) * sizeof *thread);
    *thread = (struct traced_thread){
        .tid = tid,
        .stat_fd = open_kept(threads->pid, tid, PROC_STAT),
        .schedstat_fd = open_kept(threads->pid, tid, PROC_SCHEDSTAT),
    };
    threads->count++;
    return 0;
}

static void close_files(const struct traced_thread *thread)
{
    close_fd(&thread->stat_fd);
    close_fd(&thread->schedstat_fd);
}

void traced_threads_remove(struct traced_threads *threads, pid_t tid)
{
    struct traced_thread *thread = traced_threads_find(threads, tid);
    if (!thread)
        return;
    close_files(thread);
    threads->count--;
    size_t after = threads->count - (size_t)(thread - threads->threads);
    memmove(thread, thread + 1, after * sizeof *thread);
}

void traced_threads_free(struct traced_threads *threads)
{
    for (size_t i = 0; i < threads->count; i++)
        close_files(&threads->threads[i]);
    free(threads->threads);
    *threads = (struct traced_threads){.pid = threads->pid};
}

/* With more threads than file descriptors, the file is opened each time. NUL-terminates. */
static int read_file(pid_t pid, pid_t tid, enum proc_file file, int fd, char *text, size_t bytes)
{
    _cleanup_close_ int own_fd = -1;
    if (fd < 0) {
        int error = privilege_open_proc(pid, tid, file, &own_fd);
        if (error)
            return error;
        fd = own_fd;
    }
    ssize_t length = pread(fd, text, bytes - 1, 0);
    if (length <= 0)
        return length < 0 ? -errno : -ESRCH;
    text[length] = '\0';
    return 0;
}

static uint32_t parse_cpu(const char *state)
{
    for (int i = 0; i < FIELDS_FROM_STATE_TO_CPU && state; i++)
        state = strchr(state + 1, ' ');
    return state ? (uint32_t)strtoul(state, NULL, 10) : 0;
}

static bool update_name(struct traced_thread *thread, const char *name, size_t length)
{
    if (length >= sizeof thread->name)
        length = sizeof thread->name - 1;
    if (strncmp(thread->name, name, length) == 0 && thread->name[length] == '\0')
        return false;
    memcpy(thread->name, name, length);
    thread->name[length] = '\0';
    return true;
}

int traced_thread_read(const struct traced_threads *threads, struct traced_thread *thread,
                       char *ret_state, bool *ret_renamed)
{
    char text[1024];
    int error = read_file(threads->pid, thread->tid, PROC_STAT, thread->stat_fd, text, sizeof text);
    if (error)
        return error;
    const char *open = strchr(text, '(');
    const char *close = strrchr(text, ')'); /* a name may contain one too */
    if (!open || !close || close < open || close[1] != ' ')
        return -EIO;
    *ret_renamed = update_name(thread, open + 1, (size_t)(close - open - 1));
    *ret_state = close[2];
    if (close[2] == 'R')
        thread->cpu = parse_cpu(close + 2);
    return 0;
}

int traced_thread_read_run(const struct traced_threads *threads, const struct traced_thread *thread,
                           struct thread_run *ret_run)
{
    char text[128];
    int error = read_file(threads->pid, thread->tid, PROC_SCHEDSTAT, thread->schedstat_fd, text,
                          sizeof text);
    if (error)
        return error;
    struct thread_run run;
    if (sscanf(text, "%" SCNu64 " %*u %" SCNu64, &run.cpu_ns, &run.slices) != 2)
        return -EIO;
    if (run.slices == 0) /* a kernel without CONFIG_SCHED_INFO shows zeros */
        return -ENOTSUP;
    *ret_run = run;
    return 0;
}

int traced_thread_read_sleeps(const struct traced_threads *threads,
                              const struct traced_thread *thread, uint64_t *ret_sleeps)
{
    static const char field[] = "\nvoluntary_ctxt_switches:";
    char text[4096]; /* a name's newline is escaped */
    int error = read_file(threads->pid, thread->tid, PROC_STATUS, -1, text, sizeof text);
    if (error)
        return error;
    const char *at = strstr(text, field);
    if (!at || sscanf(at + strlen(field), "%" SCNu64, ret_sleeps) != 1)
        return -EIO;
    return 0;
}
