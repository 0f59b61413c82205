/* A count of bytes that only grows, and a condition for who needs more of them. */
#include "symbol/arrival.h"

#include <errno.h>

void arrival_init(struct arrival *arrival)
{
    *arrival = (struct arrival){0};
    pthread_mutex_init(&arrival->mutex, NULL);
    pthread_cond_init(&arrival->more, NULL);
}

void arrival_destroy(struct arrival *arrival)
{
    pthread_cond_destroy(&arrival->more);
    pthread_mutex_destroy(&arrival->mutex);
}

int arrival_reached(struct arrival *arrival, uint64_t bytes)
{
    pthread_mutex_lock(&arrival->mutex);
    arrival->bytes = bytes;
    bool is_cancelled = arrival->is_cancelled;
    if (bytes >= arrival->wanted)
        pthread_cond_signal(&arrival->more);
    pthread_mutex_unlock(&arrival->mutex);
    return is_cancelled ? -ECANCELED : 0;
}

void arrival_end(struct arrival *arrival, int error)
{
    pthread_mutex_lock(&arrival->mutex);
    arrival->is_over = true;
    arrival->error = error;
    pthread_cond_signal(&arrival->more);
    pthread_mutex_unlock(&arrival->mutex);
}

int arrival_wait(struct arrival *arrival, uint64_t bytes)
{
    pthread_mutex_lock(&arrival->mutex);
    arrival->wanted = bytes;
    while (arrival->bytes < bytes && !arrival->is_over)
        pthread_cond_wait(&arrival->more, &arrival->mutex);
    int error = arrival->error;
    pthread_mutex_unlock(&arrival->mutex);
    return error;
}

void arrival_cancel(struct arrival *arrival)
{
    pthread_mutex_lock(&arrival->mutex);
    arrival->is_cancelled = true;
    pthread_mutex_unlock(&arrival->mutex);
}
