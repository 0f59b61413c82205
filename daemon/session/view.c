/* Snapshots of a session for queries. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "session/session_private.h"

/* A view and what it holds: queries see only the part in front. */
struct session_view {
    struct profile_view view;       /* first */
    struct session *session;        /* a reference */
    struct stack_trie *trie;        /* a reference */
    struct sealed_bucket **sealed;  /* owned array of references */
    const struct bucket **buckets;  /* owned array, pointing into `sealed` */
    struct profile_thread *threads; /* owned */
};

void profile_view_free(struct profile_view *view)
{
    struct session_view *held = (struct session_view *)view;
    if (!held)
        return;
    for (size_t i = 0; i < held->view.bucket_count; i++)
        bucket_release(held->sealed[i]);
    free(held->sealed);
    free(held->buckets);
    free(held->threads);
    stack_trie_unref(held->trie);
    session_unref(held->session);
    free(held);
}

static int take_buckets(struct session_view *held)
{
    struct profile_view *view = &held->view;
    size_t count = 0;
    int error = bucket_store_snapshot(held->session->buckets, &held->sealed, &count,
                                      &view->duration_ns, &view->knows_since_ns);
    if (error)
        return error;
    view->bucket_count = count;
    held->buckets = calloc(count + 1, sizeof(struct bucket *));
    if (!held->buckets)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        held->buckets[i] = &held->sealed[i]->bucket;
    view->buckets = held->buckets;
    return 0;
}

/* Buckets, trie and threads in one go, so that whatever a bucket names is there. */
static int take_published(struct session_view *held)
{
    struct session *session = held->session;
    struct profile_view *view = &held->view;
    pthread_mutex_lock(&session->mutex);
    int error = take_buckets(held);
    held->trie = stack_trie_ref(session->trie);
    view->trie = held->trie;
    const struct session_published *published = &session->published;
    held->threads = calloc(published->thread_count + 1, sizeof *held->threads);
    if (held->threads && published->thread_count)
        memcpy(held->threads, published->threads, published->thread_count * sizeof *held->threads);
    view->threads = held->threads;
    view->thread_count = published->thread_count;
    view->hits = published->counts.hits;
    view->sampled_ns = published->counts.sampled_ns;
    view->accounted_ns = published->counts.accounted_ns;
    pthread_mutex_unlock(&session->mutex);
    return error || held->threads ? error : -ENOMEM;
}

int session_view(struct session *session, struct profile_view **ret_view)
{
    struct session_view *held = calloc(1, sizeof *held);
    if (!held)
        return -ENOMEM;
    held->session = session_ref(session);
    held->view.symbols = session->symbols;
    held->view.period_ns = NS_PER_SECOND / session->frequency_hz;
    int error = take_published(held);
    if (error) {
        profile_view_free(&held->view);
        return error;
    }
    held->view.node_count = stack_trie_node_count(held->trie);
    held->view.module_count = module_table_count(session->modules);
    *ret_view = &held->view;
    return 0;
}

const struct module *profile_view_module(const struct profile_view *view, uint32_t id)
{
    return module_table_get(((const struct session_view *)view)->session->modules, id);
}
