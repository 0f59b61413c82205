/* The memory of lprofd itself. */
#pragma once

#include <stdint.h>

/* Resident set size now, in bytes, as /proc/self/statm tells, proc_pid_statm(5); 0 when it cannot
 * be read. */
uint64_t resident_bytes(void);
