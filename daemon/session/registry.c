/* All sessions of this daemon. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/array.h"
#include "session/session_private.h"

struct session_registry {
    pthread_mutex_t mutex;
    struct session **sessions; /* owned references; position + 1 is the id; NULL once removed */
    size_t count, capacity;
};

int session_registry_new(struct session_registry **ret_registry)
{
    struct session_registry *registry = calloc(1, sizeof *registry);
    if (!registry)
        return -ENOMEM;
    pthread_mutex_init(&registry->mutex, NULL);
    *ret_registry = registry;
    return 0;
}

void session_registry_free(struct session_registry *registry)
{
    if (!registry)
        return;
    for (size_t i = 0; i < registry->count; i++)
        session_unref(registry->sessions[i]);
    free(registry->sessions);
    pthread_mutex_destroy(&registry->mutex);
    free(registry);
}

int session_registry_add(struct session_registry *registry, struct session *session,
                         uint32_t *ret_id)
{
    pthread_mutex_lock(&registry->mutex);
    int error = array_reserve(&registry->sessions, &registry->capacity, registry->count + 1,
                              sizeof(struct session *));
    if (!error) {
        registry->sessions[registry->count++] = session_ref(session);
        session->id = (uint32_t)registry->count;
        *ret_id = session->id;
    }
    pthread_mutex_unlock(&registry->mutex);
    return error;
}

int session_registry_remove(struct session_registry *registry, uint32_t id)
{
    struct session *session = NULL;
    pthread_mutex_lock(&registry->mutex);
    if (id >= 1 && id <= registry->count) {
        session = registry->sessions[id - 1];
        registry->sessions[id - 1] = NULL;
    }
    pthread_mutex_unlock(&registry->mutex);
    if (!session)
        return -ENOENT;
    session_unref(session);
    return 0;
}

struct session *session_registry_get(struct session_registry *registry, uint32_t id)
{
    struct session *session = NULL;
    pthread_mutex_lock(&registry->mutex);
    if (id == 0) {
        for (size_t i = registry->count; i-- > 0 && !session;)
            session = registry->sessions[i];
    } else if (id <= registry->count) {
        session = registry->sessions[id - 1];
    }
    if (session)
        session_ref(session);
    pthread_mutex_unlock(&registry->mutex);
    return session;
}

size_t session_registry_list(struct session_registry *registry, uint32_t *ret_ids, size_t max)
{
    size_t found = 0;
    pthread_mutex_lock(&registry->mutex);
    for (size_t i = 0; i < registry->count; i++) {
        if (!registry->sessions[i])
            continue;
        if (found < max)
            ret_ids[found] = (uint32_t)i + 1;
        found++;
    }
    pthread_mutex_unlock(&registry->mutex);
    return found;
}
