/* What the table of threads and its accounts share. */
#pragma once

#include "base/index.h"
#include "process/thread_table.h"

struct entry {
    struct profile_thread thread;
    uint64_t runtime_ns;         /* CPU time at the last reading */
    uint64_t sampled_at_read_ns; /* thread.sampled_ns at the last reading */
    bool end_told;               /* by a record, not only seen */
};

#define LIVING_COUNTS 4096

struct thread_table {
    struct entry *entries; /* owned; the one at THREADS_MAX is shared */
    size_t count, capacity;
    uint32_t living[LIVING_COUNTS]; /* threads of processes whose pids have the same hash */
    struct index index;             /* by tid; places of threads that are gone are passed over */
    uint32_t *unused;               /* owned; entries of ended threads that never had a sample */
    size_t unused_count, unused_capacity;
};

/* Takes far less than a file of /proc. Whom no signal may be sent to (EPERM) is there. */
bool thread_has_ended(const struct profile_thread *thread);

/* Every change to THREAD_EXITED goes by these; `gone`: its place may be given to another thread. */
void thread_entry_exited(struct thread_table *table, struct entry *entry);
void thread_entry_gone(struct thread_table *table, struct entry *entry);

/* Of a thread that has run before: its name, and the CPU time that does not count. */
void thread_entry_read(struct entry *entry);
