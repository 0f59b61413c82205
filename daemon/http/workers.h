/*
 * Threads that make answers. libmicrohttpd's own only move bytes: while a query takes long, all
 * other connections go on.
 */
#pragma once

#include <stdbool.h>

struct workers;

/* A piece of work, inside what it is about. */
struct job {
    struct job *next; /* while it waits */
};

typedef void job_fn(struct job *job);

/* Starts `thread_count` threads, which run each job in the order of coming. 0 or -errno. */
int workers_new(unsigned thread_count, job_fn *run, struct workers **ret_workers);

/* False, and nothing done, once they were told to stop. */
bool workers_add(struct workers *workers, struct job *job);

/* Returns when all that was added has been done. NULL is harmless. */
void workers_stop(struct workers *workers);

/* The same, and there are none any more. NULL is harmless. */
void workers_free(struct workers *workers);
