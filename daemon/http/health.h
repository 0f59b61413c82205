/* Health: whether the pipeline of each running session turns. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "lprofd/session.h"

#define HEALTH_SESSIONS_MAX 64

struct health_mark {
    uint32_t session_id; /* 0: free */
    uint64_t duration_ns, changed_ns;
};

struct health {
    pthread_mutex_t lock;
    struct health_mark marks[HEALTH_SESSIONS_MAX]; /* by session id, modulo */
};

void health_init(struct health *health);
void health_free(struct health *health);

/* Notes how far a session has come. True unless it runs and has not moved for 10 s. */
bool health_check(struct health *health, const struct session_info *info);
