/* The attributes of our perf events (perf_event_open(2)). */
#pragma once

#include <linux/perf_event.h>
#include <stddef.h>

#include "capture/capture.h"

/* What a sampling event counts, in the order in which "auto" tries them. */
struct perf_event_choice {
    const char *name; /* constant string: as in the API */
    uint32_t type;
    uint64_t config;
    uint32_t precise_ip;
};

extern const struct perf_event_choice perf_event_choices[];
extern const size_t perf_event_choice_count;

/* How the events of one capture are made. */
struct perf_recipe {
    const struct perf_event_choice *choice;
    uint32_t frequency_hz, stack_bytes;
    bool user_only; /* the kernel may not be looked into (perf_event_paranoid) */
    bool inherit;   /* threads that are created later are sampled too, ... */
    bool follow;    /* ... and child processes */
    size_t ring_bytes;
};

/* Samples, with or without side-band records (mappings, names, threads). Starts disabled. */
struct perf_event_attr perf_sampling_attributes(const struct perf_recipe *recipe, bool side_band);

/* No samples, only side-band records; always on. */
struct perf_event_attr perf_side_band_attributes(const struct perf_recipe *recipe);

/* Nothing at all: an event that only holds a ring for others. */
struct perf_event_attr perf_holder_attributes(const struct perf_recipe *recipe);

/*
 * Room for about 100 ms of samples, so that a daemon that is kept waiting loses none; less where
 * that would be more than 16 MiB.
 */
size_t perf_ring_bytes_for(const struct capture_options *options);
/* False where it is less. */
bool perf_ring_suffices(const struct capture_options *options);

/*
 * For less locked memory: all rings half as large, as long as each holds a few samples; else less
 * of each stack, and rings for that. False when there is nothing left to save.
 */
bool perf_recipe_halve_rings(struct perf_recipe *recipe);
bool perf_recipe_halve_stacks(struct perf_recipe *recipe);
