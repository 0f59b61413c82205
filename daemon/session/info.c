/* The session document: everything about a session but its samples. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/time_scale.h"
#include "base/resident.h"
#include "session/warnings.h"

/* Which session it is, and how it samples. */
static void describe(const struct session *session, struct session_info *info)
{
    info->id = session->id;
    info->state = session->state;
    info->pid = session->pid;
    info->command = strdup(session->command ? session->command : "");
    info->executable = strdup(session->executable ? session->executable : "");
    memcpy(info->started_at, session->started_at, sizeof info->started_at);
    info->backend = session->backend;
    info->backend_reason = session->backend_reason;
    info->event = session->event;
    info->frequency_hz = session->frequency_hz;
    info->stack_bytes = session->stack_bytes;
    info->follow = session->follow;
    info->epoch = session->epoch;
}

static void count(const struct session *session, struct session_info *info)
{
    const struct session_published *published = &session->published;
    info->duration_ns = published->duration_ns;
    info->threads = published->threads_alive;
    info->threads_seen = (uint32_t)published->thread_count;
    info->processes = (uint32_t)published->processes;
    info->samples.total = published->counts.hits;
    info->samples.lost = published->counts.lost;
    info->samples.throttled = published->counts.throttled;
    info->samples.truncated_stacks = published->counts.truncated;
    info->samples.unwound_to_root = published->counts.to_root;
    info->samples.frame_pointer_stacks = published->counts.by_frame_pointer;
    info->samples.unresolved_frames = session->unresolved_frames;
    info->sampled_ns = published->counts.sampled_ns;
    info->accounted_ns = published->counts.accounted_ns;
    info->unsampled_ns = time_scale_of(published->threads, published->thread_count,
                                       NS_PER_SECOND / session->frequency_hz, info->accounted_ns)
                             .unsampled_ns;
    if (session_state_is_live(session->state)) {
        info->daemon_cpu_percent = published->daemon_cpu_percent;
        info->target_overhead_percent = published->target_overhead_percent;
    }
}

int session_info(struct session *session, struct session_info *ret_info)
{
    struct session_info info = {.rss_bytes = resident_bytes()};
    pthread_mutex_lock(&session->mutex);
    /* Under the mutex: buckets are sealed and counts published in one step. */
    struct bucket_losses losses = bucket_store_losses(session->buckets);
    describe(session, &info);
    count(session, &info);
    info.samples.forgotten = losses.forgotten_hits;
    info.knows_since_ns = losses.knows_since_ns;
    session_warn(session, &losses, &info);
    pthread_mutex_unlock(&session->mutex);
    if (!info.command || !info.executable) {
        session_info_free(&info);
        return -ENOMEM;
    }
    *ret_info = info;
    return 0;
}

void session_info_free(struct session_info *info)
{
    free(info->command);
    free(info->executable);
    for (size_t i = 0; i < info->warning_count; i++)
        free(info->warnings[i]);
    *info = (struct session_info){0};
}
