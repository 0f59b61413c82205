/* Puts the records of several rings, each in time order, into one time order. */
#pragma once

#include "capture/capture.h"
#include "capture/perf_ring.h"

/*
 * Hands on every record older than `until_ns` of all rings, oldest first, and leaves younger ones
 * where they are: a record of another ring may still come before them. Nothing is copied.
 * Samples get `weight_ns`. Adds the number of undecodable records to *malformed.
 */
void record_order_drain(struct perf_ring *rings, size_t count, uint64_t until_ns,
                        uint64_t weight_ns, record_fn *on_record, void *user, uint64_t *malformed);
