/* CPU time and names of threads, as /proc has them. */
#include "process/thread_table_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "process/proc_text.h"

/* What more was used than samples tell is not of threads that are known. */
#define FIT_MAX 10.0

static int read_runtime(pid_t pid, pid_t tid, uint64_t *ret_ns)
{
    _cleanup_free_ char *text = NULL;
    int error = proc_read_text(pid, tid, PROC_SCHEDSTAT, &text, NULL);
    if (error)
        return error;
    return sscanf(text, "%" SCNu64, ret_ns) == 1 ? 0 : -EINVAL;
}

static void read_name(struct profile_thread *thread)
{
    _cleanup_free_ char *text = NULL;
    if (proc_read_text(thread->pid, thread->tid, PROC_COMM, &text, NULL))
        return;
    text[strcspn(text, "\n")] = '\0';
    snprintf(thread->name, sizeof thread->name, "%s", text);
}

static enum thread_state translate_state(char state)
{
    switch (state) {
    case 'R':
        return THREAD_RUNNING;
    case 'T':
    case 't':
        return THREAD_STOPPED;
    case 'X':
    case 'Z':
        return THREAD_EXITED;
    default:
        return THREAD_SLEEPING;
    }
}

/* CPU time since the last reading: the thread's if `sampling`, else passed over. */
static int account_runtime(struct entry *entry, bool sampling)
{
    struct profile_thread *thread = &entry->thread;
    uint64_t runtime_ns = 0;
    int error = read_runtime(thread->pid, thread->tid, &runtime_ns);
    if (error)
        return error;
    if (sampling && runtime_ns > entry->runtime_ns)
        thread->accounted_ns += runtime_ns - entry->runtime_ns;
    entry->runtime_ns = runtime_ns;
    entry->sampled_at_read_ns = thread->sampled_ns;
    return 0;
}

static int account_thread(struct thread_table *table, struct entry *entry, bool sampling,
                          bool read_names)
{
    struct proc_stat stat;
    int error = account_runtime(entry, sampling);
    if (error)
        return error;
    if (read_names || !entry->thread.name[0])
        read_name(&entry->thread);
    if (proc_read_stat(entry->thread.pid, entry->thread.tid, &stat))
        return 0;
    if (translate_state(stat.state) == THREAD_EXITED)
        thread_entry_exited(table, entry);
    else
        entry->thread.state = translate_state(stat.state);
    return 0;
}

void thread_table_account(struct thread_table *table, bool sampling, bool read_names)
{
    for (size_t i = 0; i < table->count; i++) {
        struct entry *entry = &table->entries[i];
        if (entry->thread.state == THREAD_EXITED)
            continue;
        int error = thread_has_ended(&entry->thread)
                        ? -ESRCH
                        : account_thread(table, entry, sampling, read_names);
        if (error == -ENOENT || error == -ESRCH) /* not every backend tells of every end */
            thread_entry_gone(table, entry);
    }
}

void thread_entry_read(struct entry *entry)
{
    if (!account_runtime(entry, false))
        read_name(&entry->thread);
}

void thread_table_fit(const struct thread_table *table, uint64_t accounted_ns,
                      struct profile_thread *threads)
{
    uint64_t read_ns = 0, unread_ns = 0;
    for (size_t i = 0; i < table->count; i++) {
        read_ns += table->entries[i].thread.accounted_ns;
        unread_ns += threads[i].accounted_ns - table->entries[i].thread.accounted_ns;
    }
    if (!unread_ns)
        return;
    double used_ns = accounted_ns > read_ns ? (double)(accounted_ns - read_ns) : 0;
    double factor = used_ns < FIT_MAX * (double)unread_ns ? used_ns / (double)unread_ns : FIT_MAX;
    for (size_t i = 0; i < table->count; i++) {
        uint64_t known_ns = table->entries[i].thread.accounted_ns;
        double rest_ns = (double)(threads[i].accounted_ns - known_ns) * factor;
        threads[i].accounted_ns = known_ns + (uint64_t)(rest_ns + 0.5);
    }
}
