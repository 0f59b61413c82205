/* Decoding of perf_event_open(2) ring records. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lprofd/architecture.h"
#include "lprofd/record.h"

/* What every event of ours must ask for, with the architecture's perf_mask as sample_regs_user; the
 * decoder relies on exactly this. */
#define PERF_RECORD_SAMPLE_TYPE                                                                    \
    (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_CPU |                       \
     PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER)

/*
 * The time of a record in ns, without decoding it; 0 when it is too short to have one.
 * `bytes` is a whole record with its header, 8-byte aligned.
 */
uint64_t perf_record_time(const void *bytes, size_t length);

/*
 * Decodes one whole record; *ret_record borrows from `bytes`. Samples get `weight_ns`;
 * their registers are those of `architecture`.
 * 0; -ENOENT for a type that is of no interest; -EINVAL for bytes that contradict themselves.
 */
int perf_record_decode(const struct architecture *architecture, const void *bytes, size_t length,
                       uint64_t weight_ns, struct record *ret_record);
