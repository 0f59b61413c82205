/* Keeps a session below its memory limit: what counts may take, and stacks. */
#include "base/cleanup.h"
#include "session/pipeline.h"

/* Of the limit; the rest is for counts and symbols. */
#define STACK_MEMORY_SHARE 4
/* Forgetting rests so many times as long as it took, lest it become the main work. */
#define COMPACTION_REST 4

static uint64_t stack_share_bytes(const struct session *session)
{
    return session->memory_limit_bytes / STACK_MEMORY_SHARE;
}

static size_t stack_bytes(const struct session *session)
{
    return stack_trie_bytes(session->trie) + stack_locations_bytes(session->locations);
}

bool pipeline_has_room_for_stacks(const struct pipeline *pipeline)
{
    return stack_bytes(pipeline->session) <= stack_share_bytes(pipeline->session);
}

/* Early, so that what comes meanwhile has room. Where locations take the most, nothing is won. */
static bool is_compaction_due(const struct pipeline *pipeline, uint64_t now_ns)
{
    const struct session *session = pipeline->session;
    uint64_t share = stack_share_bytes(session);
    return stack_bytes(session) > share / 4 * 3 &&
           stack_locations_bytes(session->locations) < share / 2 &&
           now_ns - pipeline->compacted.at_ns >= COMPACTION_REST * pipeline->compacted.cost_ns;
}

/* Views take trie and buckets under the same mutex. Without memory the larger trie stays. */
static void take_compacted(struct pipeline *pipeline, uint64_t now_ns)
{
    struct session *session = pipeline->session;
    struct stack_trie *smaller = NULL;
    pthread_mutex_lock(&session->mutex);
    if (compaction_finish(pipeline->compaction, &smaller) == 0) {
        stack_trie_unref(session->trie);
        session->trie = smaller;
        session->epoch++;
    }
    pthread_mutex_unlock(&session->mutex);
    compaction_free(take_pointer(pipeline->compaction));
    pipeline->compacted.cost_ns = now_ns - pipeline->compacted.at_ns;
    pipeline->compacted.at_ns = now_ns;
}

void pipeline_stay_within_limit(struct pipeline *pipeline)
{
    struct session *session = pipeline->session;
    uint64_t now_ns = clock_monotonic_ns();
    if (pipeline->compaction && compaction_is_done(pipeline->compaction))
        take_compacted(pipeline, now_ns);
    else if (!pipeline->compaction && is_compaction_due(pipeline, now_ns) &&
             compaction_start(session->trie, session->buckets, &pipeline->compaction) == 0)
        pipeline->compacted.at_ns = now_ns;
    size_t others = stack_bytes(session) + symbols_bytes(session->symbols);
    uint64_t limit = session->memory_limit_bytes;
    bucket_store_limit(session->buckets, limit > 2 * others ? limit - others : limit / 2);
}
