/* Puts the records of several rings, each in time order, into one time order. */
#pragma once

#include "capture/capture.h"
#include "capture/perf_ring.h"

struct drain_limits {
    uint64_t until_ns;    /* younger records stay: one of another ring may still come before them */
    uint64_t deadline_ns; /* CLOCK_MONOTONIC; past it the rest stays too, but for one record */
};

/*
 * Hands on the records of all rings, oldest first, and leaves those beyond the limits where they
 * are. Nothing is copied. Samples get `weight_ns`. Adds the number of undecodable records to
 * *malformed. Returns the time of the oldest record that the deadline has left, or 0.
 */
uint64_t record_order_drain(struct perf_ring *rings, size_t count, struct drain_limits limits,
                            uint64_t weight_ns, record_fn *on_record, void *user,
                            uint64_t *malformed);

/* Steps over what the last drain has left. Returns how many records these were. */
uint64_t record_order_discard(struct perf_ring *rings, size_t count);
