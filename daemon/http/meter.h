/* A meter of lprofd itself: its CPU share. */
#pragma once

#include <pthread.h>
#include <stdint.h>

struct meter {
    pthread_mutex_t lock;
    uint64_t at_ns, cpu_ns; /* of the last reading */
    double cpu_percent;     /* of one CPU, over the last second or more */
};

void meter_init(struct meter *meter);
void meter_free(struct meter *meter);
double meter_cpu_percent(struct meter *meter);
