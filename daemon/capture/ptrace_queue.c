/* A bounded double buffer of records: the tracer must never wait for its reader. */
#include "capture/ptrace_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"

#define BYTES_MAX ((size_t)64 << 20)
#define RECORDS_MAX ((size_t)1 << 17)
#define WAKE_RECORDS 4096 /* enough to wake the reader before its timeout */

int record_queue_init(struct record_queue *queue)
{
    *queue = (struct record_queue){0};
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);
    if (error)
        return -error;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    error = pthread_cond_init(&queue->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (error)
        return -error;
    error = pthread_mutex_init(&queue->lock, NULL);
    if (error)
        pthread_cond_destroy(&queue->changed);
    return -error;
}

static void batch_free(struct record_batch *batch)
{
    free(batch->records);
    free(batch->bytes);
}

void record_queue_destroy(struct record_queue *queue)
{
    batch_free(&queue->filling);
    batch_free(&queue->draining);
    pthread_mutex_destroy(&queue->lock);
    pthread_cond_destroy(&queue->changed);
}

/* What a record points to. */
static const void *payload(const struct record *record)
{
    switch (record->type) {
    case RECORD_SAMPLE:
        return record->sample.stack;
    case RECORD_COMM:
        return record->comm.name;
    case RECORD_MAPS:
        return record->maps;
    default:
        return NULL;
    }
}

static size_t payload_bytes(const struct record *record)
{
    if (record->type == RECORD_SAMPLE)
        return record->sample.stack_bytes;
    const char *text = payload(record);
    return text ? strlen(text) + 1 : 0;
}

/* The bytes move when they grow, so a queued record has an offset in the place of its pointer. */
static void set_payload(struct record *record, const void *bytes)
{
    if (record->type == RECORD_SAMPLE)
        record->sample.stack = bytes;
    else if (record->type == RECORD_COMM)
        record->comm.name = bytes;
    else if (record->type == RECORD_MAPS)
        record->maps = bytes;
}

static int batch_add(struct record_batch *batch, const struct record *record)
{
    size_t bytes = payload_bytes(record);
    if (batch->count >= RECORDS_MAX || bytes > BYTES_MAX - batch->byte_count)
        return -ENOSPC;
    if (array_reserve(&batch->records, &batch->capacity, batch->count + 1,
                      sizeof *batch->records) ||
        array_reserve(&batch->bytes, &batch->byte_capacity, batch->byte_count + bytes, 1))
        return -ENOMEM;
    struct record *added = &batch->records[batch->count++];
    *added = *record;
    set_payload(added, (const void *)batch->byte_count);
    if (bytes > 0)
        memcpy(batch->bytes + batch->byte_count, payload(record), bytes);
    batch->byte_count += bytes;
    return 0;
}

void record_queue_add(struct record_queue *queue, const struct record *record)
{
    pthread_mutex_lock(&queue->lock);
    if (batch_add(&queue->filling, record))
        queue->lost++;
    if (queue->filling.count == WAKE_RECORDS)
        pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

void record_queue_end(struct record_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->ended = true;
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

void record_queue_wait(struct record_queue *queue, uint64_t timeout_ns)
{
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t until_ns = timeout_ns < UINT64_MAX / 2 ? now_ns + timeout_ns : UINT64_MAX / 2;
    struct timespec until = {
        .tv_sec = (time_t)(until_ns / NS_PER_SECOND),
        .tv_nsec = (long)(until_ns % NS_PER_SECOND),
    };
    pthread_mutex_lock(&queue->lock);
    while (queue->filling.count < WAKE_RECORDS && !(queue->ended && queue->filling.count > 0))
        if (pthread_cond_timedwait(&queue->changed, &queue->lock, &until) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&queue->lock);
}

void record_queue_drain(struct record_queue *queue, record_fn *on_record, void *user)
{
    pthread_mutex_lock(&queue->lock);
    struct record_batch batch = queue->filling;
    struct record lost = {.type = RECORD_LOST, .lost_count = queue->lost};
    queue->filling = queue->draining;
    queue->lost = 0;
    pthread_mutex_unlock(&queue->lock);
    for (size_t i = 0; i < batch.count; i++) {
        struct record *record = &batch.records[i];
        set_payload(record, batch.bytes + (uintptr_t)payload(record));
        on_record(user, record);
        lost.time_ns = record->time_ns;
    }
    if (lost.lost_count > 0)
        on_record(user, &lost);
    batch.count = batch.byte_count = 0;
    queue->draining = batch;
}
