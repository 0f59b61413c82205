/* A queue of fetches, and the thread that works it off. */
#include "session/fetcher.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "symbol/downloader.h"

/* A session asks for a handful of modules; sources are asked for by whoever looks at them. */
#define FETCHES_MAX 1024

struct fetch {
    const struct module *module; /* borrowed */
    char *name;                  /* owned; of a source. NULL: the module's debug file */
    char *path;                  /* owned; of the source's copy, once it has come */
    enum fetch_state state;
    int fd, alternate_fd; /* owned; of a debug file that nobody took yet */
    int error;
};

struct fetcher {
    void (*changed)(void *user);
    void *user;
    pthread_t thread;
    bool started;
    struct transfer transfer; /* the one that runs */

    pthread_mutex_t mutex;  /* guards what follows */
    pthread_cond_t queued;  /* or stopping */
    struct fetch **fetches; /* owned, in the order of asking; they stay until the end */
    size_t count, capacity;
    size_t next; /* the first that may still be queued */
    bool stopping;
};

static void fetch_free(struct fetch *fetch)
{
    if (fetch->fd >= 0)
        close(fetch->fd);
    if (fetch->alternate_fd >= 0)
        close(fetch->alternate_fd);
    free(fetch->name);
    free(fetch->path);
    free(fetch);
}

/* --- the thread --- */

/* Waits for something to do. NULL: the thread shall end. */
static struct fetch *next_fetch(struct fetcher *fetcher)
{
    struct fetch *fetch = NULL;
    pthread_mutex_lock(&fetcher->mutex);
    while (!fetcher->stopping && fetcher->next == fetcher->count)
        pthread_cond_wait(&fetcher->queued, &fetcher->mutex);
    if (!fetcher->stopping) {
        fetch = fetcher->fetches[fetcher->next++];
        fetch->state = FETCH_RUNNING;
    }
    pthread_mutex_unlock(&fetcher->mutex);
    return fetch;
}

/* The module, the name and the build-id never change: no lock is held while it takes its time. */
static void run_fetch(struct fetcher *fetcher, struct downloader *downloader, struct fetch *fetch)
{
    const struct module *module = fetch->module;
    _cleanup_free_ char *path = NULL;
    int fd = -1, alternate_fd = -1;
    int error = fetch->name
                    ? downloader_source(downloader, module->build_id, module->build_id_bytes,
                                        fetch->name, &fetcher->transfer, &path)
                    : downloader_debug_file(downloader, module->build_id, module->build_id_bytes,
                                            &fetcher->transfer, &fd, &alternate_fd);
    pthread_mutex_lock(&fetcher->mutex);
    fetch->path = take_pointer(path);
    fetch->fd = fd;
    fetch->alternate_fd = alternate_fd;
    fetch->error = error;
    fetch->state = error ? FETCH_FAILED : FETCH_DONE;
    pthread_mutex_unlock(&fetcher->mutex);
}

static void fail_fetch(struct fetcher *fetcher, struct fetch *fetch, int error)
{
    pthread_mutex_lock(&fetcher->mutex);
    fetch->error = error;
    fetch->state = FETCH_FAILED;
    pthread_mutex_unlock(&fetcher->mutex);
}

static void *thread_main(void *user)
{
    struct fetcher *fetcher = user;
    struct downloader *downloader = NULL;
    struct fetch *fetch;
    while ((fetch = next_fetch(fetcher))) {
        fetcher->changed(fetcher->user);
        int error = downloader ? 0 : downloader_new(&downloader);
        if (error)
            fail_fetch(fetcher, fetch, error);
        else
            run_fetch(fetcher, downloader, fetch);
        fetcher->changed(fetcher->user);
    }
    downloader_free(downloader);
    return NULL;
}

/* --- its life --- */

int fetcher_new(void (*changed)(void *user), void *user, struct fetcher **ret_fetcher)
{
    struct fetcher *fetcher = calloc(1, sizeof *fetcher);
    if (!fetcher)
        return -ENOMEM;
    fetcher->changed = changed;
    fetcher->user = user;
    pthread_mutex_init(&fetcher->mutex, NULL);
    pthread_cond_init(&fetcher->queued, NULL);
    if (pthread_create(&fetcher->thread, NULL, thread_main, fetcher)) {
        fetcher_free(fetcher);
        return -EAGAIN;
    }
    fetcher->started = true;
    *ret_fetcher = fetcher;
    return 0;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (!fetcher)
        return;
    atomic_store(&fetcher->transfer.cancelled, true);
    pthread_mutex_lock(&fetcher->mutex);
    fetcher->stopping = true;
    pthread_cond_signal(&fetcher->queued);
    pthread_mutex_unlock(&fetcher->mutex);
    if (fetcher->started)
        pthread_join(fetcher->thread, NULL);
    for (size_t i = 0; i < fetcher->count; i++)
        fetch_free(fetcher->fetches[i]);
    free(fetcher->fetches);
    pthread_cond_destroy(&fetcher->queued);
    pthread_mutex_destroy(&fetcher->mutex);
    free(fetcher);
}

/* --- asking; `name` is NULL for a debug file --- */

static struct fetch *find(const struct fetcher *fetcher, const struct module *module,
                          const char *name)
{
    for (size_t i = 0; i < fetcher->count; i++) {
        struct fetch *fetch = fetcher->fetches[i];
        if (fetch->module == module && !fetch->name == !name &&
            (!name || strcmp(fetch->name, name) == 0))
            return fetch;
    }
    return NULL;
}

static struct fetch *add(struct fetcher *fetcher, const struct module *module, const char *name)
{
    if (module->build_id_bytes == 0 || fetcher->count == FETCHES_MAX ||
        array_reserve(&fetcher->fetches, &fetcher->capacity, fetcher->count + 1,
                      sizeof(struct fetch *)))
        return NULL;
    struct fetch *fetch = calloc(1, sizeof *fetch);
    char *copy = name ? strdup(name) : NULL;
    if (!fetch || (name && !copy)) {
        free(fetch);
        free(copy);
        return NULL;
    }
    *fetch = (struct fetch){
        .module = module, .name = copy, .state = FETCH_QUEUED, .fd = -1, .alternate_fd = -1};
    fetcher->fetches[fetcher->count++] = fetch;
    pthread_cond_signal(&fetcher->queued);
    return fetch;
}

static enum fetch_state want(struct fetcher *fetcher, const struct module *module, const char *name)
{
    if (!fetcher)
        return FETCH_NONE;
    pthread_mutex_lock(&fetcher->mutex);
    struct fetch *fetch = find(fetcher, module, name);
    if (!fetch)
        fetch = add(fetcher, module, name);
    enum fetch_state state = fetch ? fetch->state : FETCH_NONE;
    pthread_mutex_unlock(&fetcher->mutex);
    return state;
}

void fetcher_want_debug_file(struct fetcher *fetcher, const struct module *module)
{
    want(fetcher, module, NULL);
}

enum fetch_state fetcher_want_source(struct fetcher *fetcher, const struct module *module,
                                     const char *name)
{
    return want(fetcher, module, name);
}

bool fetcher_take_debug_file(struct fetcher *fetcher, struct fetched_debug *ret_fetched)
{
    bool found = false;
    if (!fetcher)
        return false;
    pthread_mutex_lock(&fetcher->mutex);
    for (size_t i = 0; i < fetcher->count && !found; i++) {
        struct fetch *fetch = fetcher->fetches[i];
        if (fetch->fd < 0)
            continue;
        ret_fetched->module = fetch->module;
        ret_fetched->fd = take_fd(&fetch->fd);
        ret_fetched->alternate_fd = take_fd(&fetch->alternate_fd);
        found = true;
    }
    pthread_mutex_unlock(&fetcher->mutex);
    return found;
}

void fetcher_reject_debug_file(struct fetcher *fetcher, const struct module *module, int error)
{
    pthread_mutex_lock(&fetcher->mutex);
    struct fetch *fetch = find(fetcher, module, NULL);
    if (fetch) {
        fetch->state = FETCH_FAILED;
        fetch->error = error;
    }
    pthread_mutex_unlock(&fetcher->mutex);
}

static bool is_waiting(const struct fetch *fetch)
{
    return fetch->state == FETCH_QUEUED || fetch->state == FETCH_RUNNING;
}

bool fetcher_is_busy(struct fetcher *fetcher)
{
    bool busy = false;
    if (!fetcher)
        return false;
    pthread_mutex_lock(&fetcher->mutex);
    for (size_t i = 0; i < fetcher->count && !busy; i++) {
        const struct fetch *fetch = fetcher->fetches[i];
        busy = !fetch->name && (is_waiting(fetch) || fetch->fd >= 0);
    }
    pthread_mutex_unlock(&fetcher->mutex);
    return busy;
}

/* --- what became of it --- */

struct fetch_status fetcher_debug_file_status(struct fetcher *fetcher, const struct module *module)
{
    struct fetch_status status = {.state = FETCH_NONE};
    if (!fetcher)
        return status;
    pthread_mutex_lock(&fetcher->mutex);
    const struct fetch *fetch = find(fetcher, module, NULL);
    if (fetch) {
        status.state = fetch->state;
        status.error = fetch->error;
        if (fetch->state == FETCH_RUNNING)
            status.bytes = atomic_load(&fetcher->transfer.bytes);
    }
    pthread_mutex_unlock(&fetcher->mutex);
    return status;
}

enum fetch_state fetcher_source(struct fetcher *fetcher, const struct module *module,
                                const char *name, char **ret_path)
{
    enum fetch_state state = FETCH_NONE;
    *ret_path = NULL;
    if (!fetcher)
        return state;
    pthread_mutex_lock(&fetcher->mutex);
    const struct fetch *fetch = find(fetcher, module, name);
    if (fetch) {
        state = fetch->state;
        *ret_path = fetch->path ? strdup(fetch->path) : NULL;
    }
    pthread_mutex_unlock(&fetcher->mutex);
    return state;
}

void fetcher_summarize_sources(struct fetcher *fetcher, struct fetch_summary *ret_summary)
{
    *ret_summary = (struct fetch_summary){0};
    if (!fetcher)
        return;
    pthread_mutex_lock(&fetcher->mutex);
    for (size_t i = 0; i < fetcher->count; i++) {
        const struct fetch *fetch = fetcher->fetches[i];
        if (!fetch->name)
            continue;
        if (is_waiting(fetch) && ret_summary->waiting++ == 0)
            ret_summary->waiting_name = strdup(fetch->name);
        if (fetch->state == FETCH_FAILED && ret_summary->failed++ == 0) {
            ret_summary->failed_name = strdup(fetch->name);
            ret_summary->error = fetch->error;
        }
    }
    pthread_mutex_unlock(&fetcher->mutex);
}
