/* The threads of a target: names, states, samples, and CPU time by the kernel's books. */
#pragma once

#include "lprofd/profile.h"

struct thread_table;
int thread_table_new(struct thread_table **ret_table);
void thread_table_free(struct thread_table *table);

/*
 * The index of the living thread `tid` of process `pid`, added (with its CPU time counted from 0)
 * when new.
 */
int thread_table_find(struct thread_table *table, pid_t pid, pid_t tid, uint32_t *ret_index);
/* The same for one that `parent_tid` created: until it is renamed it has that one's name. */
int thread_table_fork(struct thread_table *table, pid_t parent_tid, pid_t pid, pid_t tid);
/*
 * The same for a sample: one that comes after the thread's end was told or seen, as the kernel
 * still works for it then, is that thread's.
 */
int thread_table_find_sampled(struct thread_table *table, pid_t pid, pid_t tid,
                              uint32_t *ret_index);

/* What records tell, each also of a thread whose end was seen before they were read. */
void thread_table_rename(struct thread_table *table, pid_t pid, pid_t tid, const char *name);
/* It runs another program. Adds it if it is not known, as thread_table_adopt() does. */
int thread_table_exec(struct thread_table *table, pid_t pid, pid_t tid);
/* The thread ended; a later one with the same tid is another thread. */
void thread_table_exit(struct thread_table *table, pid_t pid, pid_t tid);
/* The end of all of the process's threads was seen; that of every process for pid 0. */
void thread_table_exit_all(struct thread_table *table, pid_t pid);

/* True while a thread of the process is known that has not ended. O(1) if hardly any other lives.
 */
bool thread_table_has_living(const struct thread_table *table, pid_t pid);

/* There is no room for more: new threads may share an entry, and are not known then. */
bool thread_table_is_full(const struct thread_table *table);

/* Adds the thread if it is not known; CPU time that it used until now does not count. */
int thread_table_adopt(struct thread_table *table, pid_t pid, pid_t tid);
/*
 * The same for all in /proc/PID/task; `from_birth`: their CPU time counts from 0, as they began
 * since the last reading of it.
 */
int thread_table_scan(struct thread_table *table, pid_t pid, bool from_birth);

/* Counts a sample. */
void thread_table_sample(struct thread_table *table, uint32_t index, uint64_t weight_ns);

/*
 * Reads state and CPU time (schedstat) of the living threads, and with `read_names` their names
 * again, which else are only looked up where they are not known. What they used since the last
 * reading is theirs if `sampling` was on, and is passed over if not.
 */
void thread_table_account(struct thread_table *table, bool sampling, bool read_names);

/* A copy of all threads, living and ended, that the caller frees. 0 or -ENOMEM. */
int thread_table_copy(const struct thread_table *table, struct profile_thread **ret_threads,
                      size_t *ret_count, uint32_t *ret_alive);

/*
 * All threads together used `accounted_ns`: of such a copy, what is known of their samples alone,
 * since the last reading or after their end, shares what their readings leave of that.
 */
void thread_table_fit(const struct thread_table *table, uint64_t accounted_ns,
                      struct profile_thread *threads);
