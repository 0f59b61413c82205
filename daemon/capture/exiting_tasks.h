/*
 * Samples of tasks that have given their id up (backend perf-cpu).
 *
 * The kernel releases the id of a thread that ends before the thread leaves its CPU for the last
 * time (release_task(), then schedule()); what is sampled in between has -1 for an id. The end was
 * told on the same CPU just before: that record has the id.
 */
#pragma once

#include "lprofd/record.h"

#define EXITING_TASKS 256

/* The last end told on each CPU, by the CPU's number: that of a later one stays. */
struct exiting_tasks {
    struct exiting_task {
        uint32_t cpu;
        pid_t pid, tid; /* 0: none yet */
    } last[EXITING_TASKS];
};

/* Takes notice of a RECORD_EXIT; records of one CPU come in order. */
void exiting_tasks_note(struct exiting_tasks *tasks, const struct record *record);

/* Gives a sample its ids where they are lacking; what nobody told of is of process or thread 0. */
void exiting_tasks_name(const struct exiting_tasks *tasks, struct record *record);
