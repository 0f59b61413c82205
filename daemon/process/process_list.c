/* Reads /proc for processes that could be attached to. */
#include "process/process_list.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "process/proc_pids.h"
#include "process/proc_text.h"
#include "process/runtime.h"

#define KERNEL_THREAD 0x00200000 /* PF_KTHREAD of the kernel's sched.h */
#define COMMAND_BYTES_MAX 4096
#define WINDOW_NS (100 * NS_PER_MS)

static void list_cleanup(struct process_list **list)
{
    process_list_free(*list);
}

static void entry_clear(struct process_entry *entry)
{
    free(entry->user);
    free(entry->command);
}

/* Opening it makes the kernel check what attaching will need: PTRACE_MODE_READ (proc(5)). */
static bool may_attach(pid_t pid)
{
    _cleanup_close_ int fd = -1;
    return pid != getpid() && privilege_open_proc(pid, 0, PROC_MAPS, &fd) == 0;
}

/* --- who and what ------------------------------------------------------------------------------
 */

static int read_uid(pid_t pid, uid_t *ret_uid)
{
    _cleanup_free_ char *text = NULL;
    int error = proc_read_text(pid, 0, PROC_STATUS, &text, NULL);
    if (error)
        return error;
    const char *line = strstr(text, "\nUid:");
    unsigned effective;
    if (!line || sscanf(line, "\nUid: %*u %u", &effective) != 1)
        return -EINVAL;
    *ret_uid = effective;
    return 0;
}

static char *user_name(uid_t uid)
{
    char bytes[4096];
    struct passwd entry, *found = NULL;
    char *name = NULL;
    if (getpwuid_r(uid, &entry, bytes, sizeof bytes, &found) == 0 && found)
        return strdup(found->pw_name);
    return asprintf(&name, "%u", uid) < 0 ? NULL : name;
}

/* NULs between the arguments and whatever would disturb a list become spaces. */
static char *join_arguments(const char *text, size_t length)
{
    if (length > COMMAND_BYTES_MAX)
        length = COMMAND_BYTES_MAX;
    while (length > 0 && text[length - 1] == '\0')
        length--;
    char *command = malloc(length + 1);
    if (!command)
        return NULL;
    for (size_t i = 0; i < length; i++)
        command[i] = (char)((unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i]);
    command[length] = '\0';
    return command;
}

static char *name_in_brackets(pid_t pid)
{
    _cleanup_free_ char *name = NULL;
    char *command = NULL;
    if (proc_read_text(pid, 0, PROC_COMM, &name, NULL))
        return strdup("[]");
    return asprintf(&command, "[%.*s]", (int)strcspn(name, "\n"), name) < 0 ? NULL : command;
}

static char *command_line(pid_t pid)
{
    _cleanup_free_ char *text = NULL;
    size_t length = 0;
    if (proc_read_text(pid, 0, PROC_CMDLINE, &text, &length) || text[0] == '\0')
        return name_in_brackets(pid);
    return join_arguments(text, length);
}

/* 0, -ENOMEM, or another error: not one for the list. */
static int read_entry(pid_t pid, struct process_entry *ret_entry)
{
    struct proc_stat stat;
    uid_t uid;
    int error = proc_read_stat(pid, 0, &stat);
    if (!error)
        error = read_uid(pid, &uid);
    if (error)
        return error;
    if ((stat.flags & KERNEL_THREAD) || proc_has_ended(pid, &stat) || !may_attach(pid))
        return -EPERM;
    struct process_entry entry = {
        .pid = pid,
        .ppid = stat.parent,
        .user = user_name(uid),
        .command = command_line(pid),
        .threads = (unsigned)stat.threads,
        .runtime = runtime_of_process(pid),
    };
    if (!entry.user || !entry.command) {
        entry_clear(&entry);
        return -ENOMEM;
    }
    *ret_entry = entry;
    return 0;
}

static int read_entries(struct process_list *list)
{
    _cleanup_free_ pid_t *pids = NULL;
    size_t count = 0;
    int error = proc_pids(&pids, &count);
    if (error)
        return error;
    list->entries = calloc(count + 1, sizeof *list->entries);
    if (!list->entries)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        error = read_entry(pids[i], &list->entries[list->count]);
        if (error == -ENOMEM)
            return error;
        list->count += !error;
    }
    return 0;
}

/* --- how busy ----------------------------------------------------------------------------------
 */

static uint64_t cpu_time(pid_t pid)
{
    uint64_t used_ns = 0;
    privilege_read_cpu_time(pid, &used_ns); /* 0 when it has ended */
    return used_ns;
}

static int measure(struct process_list *list)
{
    _cleanup_free_ uint64_t *before_ns = calloc(list->count + 1, sizeof *before_ns);
    if (!before_ns)
        return -ENOMEM;
    uint64_t start_ns = clock_monotonic_ns();
    for (size_t i = 0; i < list->count; i++)
        before_ns[i] = cpu_time(list->entries[i].pid);
    struct timespec window = {.tv_nsec = (long)WINDOW_NS};
    while (nanosleep(&window, &window) < 0 && errno == EINTR)
        ;
    uint64_t passed_ns = clock_monotonic_ns() - start_ns;
    for (size_t i = 0; i < list->count; i++) {
        uint64_t used_ns = cpu_time(list->entries[i].pid);
        if (used_ns > before_ns[i])
            list->entries[i].cpu_percent =
                100.0 * (double)(used_ns - before_ns[i]) / (double)passed_ns;
    }
    return 0;
}

static int busiest_first(const void *left, const void *right)
{
    const struct process_entry *a = left;
    const struct process_entry *b = right;
    if (a->cpu_percent != b->cpu_percent)
        return a->cpu_percent < b->cpu_percent ? 1 : -1;
    return (a->pid > b->pid) - (a->pid < b->pid);
}

int process_list_read(struct process_list **ret_list)
{
    _cleanup_(list_cleanup) struct process_list *list = calloc(1, sizeof *list);
    if (!list)
        return -ENOMEM;
    int error = read_entries(list);
    if (!error)
        error = measure(list);
    if (error)
        return error;
    if (list->count > 0)
        qsort(list->entries, list->count, sizeof *list->entries, busiest_first);
    *ret_list = take_pointer(list);
    return 0;
}

void process_list_free(struct process_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        entry_clear(&list->entries[i]);
    free(list->entries);
    free(list);
}
