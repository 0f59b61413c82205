/* The processes that could be attached to, for a person to choose from. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct process_entry {
    pid_t pid, ppid;
    char *user;          /* owned; name of the effective user, or its number */
    char *command;       /* owned; arguments with spaces between, at most 4 KiB; or "[name]" */
    double cpu_percent;  /* of one CPU, over the last 100 ms: 200 is two CPUs */
    unsigned threads;    /* alive now */
    const char *runtime; /* constant string of runtime_of_process() */
};

struct process_list {
    struct process_entry *entries; /* owned; busiest first, then by pid */
    size_t count;
};

/*
 * Lists the processes whose memory map lprofd may read, which is what attaching needs: zombies,
 * kernel threads, others' processes and lprofd itself are left out.
 *
 * Takes 100 ms: cpu_percent is measured over that time by each process's CPU clock, because whoever
 * picks a busy process wants the one that is busy now; the mean since its start would show a server
 * that was idle for a week as idle. 0 or -errno; processes that end meanwhile are no error.
 */
int process_list_read(struct process_list **ret_list);
void process_list_free(struct process_list *list);
