/* Time: everything lprofd stamps is CLOCK_MONOTONIC nanoseconds, like the kernel's records. */
#pragma once

#include <stdint.h>
#include <time.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

/* CLOCK_MONOTONIC now, in ns. */
uint64_t clock_monotonic_ns(void);

/* CPU time that this process has used so far, all threads, in ns. */
uint64_t clock_process_cpu_ns(void);
/* The same of the calling thread alone. */
uint64_t clock_thread_cpu_ns(void);

#define CLOCK_ISO8601_BYTES 32
/* The wall clock now as "2026-01-31T12:00:00Z" (ISO 8601, UTC). It may jump: never measure with it.
 */
void clock_format_utc(char ret_text[static CLOCK_ISO8601_BYTES]);

/* When `timeout_ns` from now will be, for waits on CLOCK_MONOTONIC. */
struct timespec clock_deadline(uint64_t timeout_ns);
