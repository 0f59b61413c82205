/* Bytes that one thread puts into place, front to back, while another uses what has come. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arrival {
    pthread_mutex_t mutex;
    pthread_cond_t more;
    uint64_t bytes;    /* that have come */
    uint64_t wanted;   /* so many are waited for */
    bool is_over;      /* no more will come */
    bool is_cancelled; /* nobody will wait again */
    int error;         /* why not all came */
};

void arrival_init(struct arrival *arrival);
void arrival_destroy(struct arrival *arrival);

/* The one side: so many bytes are there. 0, or -ECANCELED when nobody wants more. */
int arrival_reached(struct arrival *arrival, uint64_t bytes);

/* All are there (0), or no more will be (-errno). */
void arrival_end(struct arrival *arrival, int error);

/* The other side: 0 when so many bytes, or all, are there; else the error that ended it. */
int arrival_wait(struct arrival *arrival, uint64_t bytes);

/* Nobody will wait again: arrival_reached() says so. */
void arrival_cancel(struct arrival *arrival);
