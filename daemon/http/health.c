/* Health: whether the pipeline of each running session turns. */
#include "http/health.h"

#include "base/clock.h"

#define STUCK_AFTER_NS (10 * NS_PER_SECOND)

void health_init(struct health *health)
{
    *health = (struct health){0};
    pthread_mutex_init(&health->lock, NULL);
}

void health_free(struct health *health)
{
    pthread_mutex_destroy(&health->lock);
}

bool health_check(struct health *health, const struct session_info *info)
{
    uint64_t now_ns = clock_monotonic_ns();
    struct health_mark *mark = &health->marks[info->id % HEALTH_SESSIONS_MAX];
    pthread_mutex_lock(&health->lock);
    if (mark->session_id != info->id || mark->duration_ns != info->duration_ns ||
        info->state != SESSION_RUNNING)
        *mark = (struct health_mark){info->id, info->duration_ns, now_ns};
    bool moves = now_ns - mark->changed_ns < STUCK_AFTER_NS;
    pthread_mutex_unlock(&health->lock);
    return moves;
}
