/*
 * Tasks that two events sample, and which of the two is one too many (backend perf-task).
 *
 * A task that begins while events are being opened may have inherited its creator's, or not: which,
 * nobody tells. So it gets one of its own, and its samples tell: they have the id of the event that
 * was opened, inherited or not (PERF_SAMPLE_ID), and of two ids of a task on one CPU the greater is
 * of the event that was opened later. That one is one too many for its own task and for all that
 * inherit it: they inherit the older one, too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lprofd/record.h"

#define SIGHTINGS 1024

/* An event of a task that may have inherited another one. */
struct doubtful_event {
    uint64_t id;
    int fd; /* borrowed; -1 once it has turned out to be one too many */
};

struct doubled_tasks {
    struct doubtful_event *events; /* owned; by ascending id */
    size_t count, capacity;
    struct sighting { /* the last sample of a task, by a hash of its tid: a newer task's stays */
        pid_t tid;
        uint32_t cpu;
        uint64_t event_id;
    } sightings[SIGHTINGS];
};

void doubled_tasks_clear(struct doubled_tasks *tasks);

/* An event that was opened after all others. 0 or -ENOMEM. */
int doubled_tasks_add(struct doubled_tasks *tasks, uint64_t event_id, int fd);

/*
 * Takes notice of each record, in time order. False for a sample that repeats what an older event
 * tells. *ret_fd: an event that has turned out to be one too many and is to be closed, or -1.
 * O(log events).
 */
bool doubled_tasks_count(struct doubled_tasks *tasks, const struct record *record, int *ret_fd);
