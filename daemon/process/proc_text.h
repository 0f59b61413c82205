/* Whole small files of /proc/PID as text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/proc_stat.h"
#include "lprofd/privilege.h"

/*
 * Reads /proc/PID/FILE (or of thread `tid` when > 0) as a NUL-terminated string that the caller
 * frees; *ret_length (may be NULL) does not count the NUL. -EFBIG past 64 MiB.
 */
int proc_read_text(pid_t pid, pid_t tid, enum proc_file file, char **ret_text, size_t *ret_length);

/*
 * It is a zombie, or less. A process whose main thread is one lives as long as others of its
 * threads do. What cannot be told is taken for living.
 */
bool proc_has_ended(pid_t pid, const struct proc_stat *stat);

/* 0, -ENOENT or -ESRCH when it ended, -EINVAL for text that makes no sense. */
int proc_read_stat(pid_t pid, pid_t tid, struct proc_stat *ret_stat);
