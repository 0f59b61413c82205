/* The memory of lprofd itself. */
#pragma once

#include <stdint.h>

/*
 * Resident set size in bytes, as /proc/self/statm tells, proc_pid_statm(5). Without a descriptor to
 * read that: what it told last, or the most that it ever was.
 */
uint64_t resident_bytes(void);
