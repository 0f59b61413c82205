/* Records on their way from the tracer thread to whoever drains the capture. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "capture/capture.h"

/* Records and the bytes they point to. */
struct record_batch {
    struct record *records; /* owned; stack and name pointers are offsets into bytes */
    size_t count, capacity;
    unsigned char *bytes; /* owned */
    size_t byte_count, byte_capacity;
};

struct record_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;       /* on CLOCK_MONOTONIC */
    struct record_batch filling;  /* by the tracer, under the lock */
    struct record_batch draining; /* the reader's own */
    uint64_t lost; /* did not fit since the last drain, which ends with a RECORD_LOST */
    bool ended;    /* nothing more will come */
};

int record_queue_init(struct record_queue *queue);
void record_queue_destroy(struct record_queue *queue);

/* Adds a copy of the record, its stack or name included. What does not fit is counted as lost. */
void record_queue_add(struct record_queue *queue, const struct record *record);
void record_queue_end(struct record_queue *queue);

/* Sleeps until much is queued, the end, or `timeout_ns` passed. */
void record_queue_wait(struct record_queue *queue, uint64_t timeout_ns);
void record_queue_drain(struct record_queue *queue, record_fn *on_record, void *user);
