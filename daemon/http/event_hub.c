/* Live events: the ticker, which makes what changed into blocks for all clients of a channel. */
#include "http/event_hub_private.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define TICK_NS (250 * NS_PER_MS)         /* while the session samples */
#define ENDED_TICK_NS NS_PER_SECOND       /* afterwards */
#define HEARTBEAT_NS (15 * NS_PER_SECOND) /* so that clients who left are noticed */
#define COST_SHARE 10 /* between two looks at a session, as many times what a look takes */
#define LINGER_NS (10 * NS_PER_SECOND)

static void push(struct client *client, struct blob *block)
{
    if (client->closing)
        return;
    if (client->count == QUEUE_MAX) { /* too slow: it will come back and say where it was */
        client->closing = true;
        while (client->count > 1) {
            client->count--;
            blob_unref(client->queue[(client->first + client->count) % QUEUE_MAX]);
        }
        return;
    }
    client->queue[(client->first + client->count) % QUEUE_MAX] = blob_ref(block);
    client->count++;
}

/*
 * Lists the suspended clients that have something to do. They cannot go away before they are
 * resumed, so that this may happen without the lock.
 */
static struct client *collect_suspended(struct channel *channel)
{
    struct client *list = NULL;
    for (struct client *client = channel->clients; client; client = client->next)
        if (client->suspended && (client->count || client->closing || client->hub->stopping)) {
            client->suspended = false;
            client->wake_next = list;
            list = client;
        }
    return list;
}

static void wake_all(struct client *list)
{
    while (list) {
        struct client *next = list->wake_next;
        MHD_resume_connection(list->connection);
        list = next;
    }
}

/* Gives the block to all clients that are up to date. */
static void broadcast(struct event_hub *hub, struct channel *channel, struct blob *block)
{
    pthread_mutex_lock(&hub->lock);
    for (struct client *client = channel->clients; client; client = client->next)
        if (!client->fresh)
            push(client, block);
    struct client *list = collect_suspended(channel);
    pthread_mutex_unlock(&hub->lock);
    channel->sent_ns = clock_monotonic_ns();
    wake_all(list);
}

/* Closes all clients: the session was removed, or cannot be read. */
static void close_channel(struct event_hub *hub, struct channel *channel)
{
    pthread_mutex_lock(&hub->lock);
    channel->closed = true;
    for (struct client *client = channel->clients; client; client = client->next)
        client->closing = true;
    struct client *list = collect_suspended(channel);
    pthread_mutex_unlock(&hub->lock);
    wake_all(list);
}

/* A fresh client's wish: true when there is one. */
static bool next_fresh(struct event_hub *hub, struct channel *channel, bool *ret_has_last_id,
                       uint64_t *ret_last_id)
{
    bool found = false;
    pthread_mutex_lock(&hub->lock);
    for (struct client *client = channel->clients; client && !found; client = client->next)
        if (client->fresh && !client->closing) {
            found = true;
            *ret_has_last_id = client->has_last_id;
            *ret_last_id = client->last_id;
        }
    pthread_mutex_unlock(&hub->lock);
    return found;
}

/* Gives the block to every fresh client with this wish. */
static void welcome(struct event_hub *hub, struct channel *channel, bool has_last_id,
                    uint64_t last_id, struct blob *block)
{
    pthread_mutex_lock(&hub->lock);
    for (struct client *client = channel->clients; client; client = client->next) {
        if (!client->fresh || client->has_last_id != has_last_id || client->last_id != last_id)
            continue;
        client->fresh = false;
        if (block)
            push(client, block);
        else
            client->closing = true;
    }
    struct client *list = collect_suspended(channel);
    pthread_mutex_unlock(&hub->lock);
    wake_all(list);
}

static void welcome_all(struct event_hub *hub, struct channel *channel)
{
    bool has_last_id;
    uint64_t last_id;
    while (next_fresh(hub, channel, &has_last_id, &last_id)) {
        struct text text = {0};
        _cleanup_blob_ struct blob *block = NULL;
        if (event_feed_catch_up(&channel->feed, has_last_id, last_id, &text))
            text_free(&text);
        else
            (void)blob_new(&text, &block);
        welcome(hub, channel, has_last_id, last_id, block);
    }
}

static void send_heartbeat(struct event_hub *hub, struct channel *channel)
{
    struct text text = {0};
    _cleanup_blob_ struct blob *block = NULL;
    text_add_string(&text, ":\n\n");
    if (!blob_new(&text, &block))
        broadcast(hub, channel, block);
}

static bool session_is_gone(const struct event_hub *hub, const struct channel *channel)
{
    struct session *session = session_registry_get(hub->registry, channel->session_id);
    session_unref(session);
    return session != channel->feed.session;
}

/* Looks at the session, when it is time to, and tells the clients what changed. */
static void tick_channel(struct event_hub *hub, struct channel *channel)
{
    uint64_t start_ns = clock_monotonic_ns();
    if (start_ns >= channel->due_ns) {
        struct text text = {0};
        _cleanup_blob_ struct blob *block = NULL;
        int error = event_feed_advance(&channel->feed, &text);
        if (error && error != -ENOMEM) {
            text_free(&text);
            close_channel(hub, channel);
            return;
        }
        if (!error && text.length && !blob_new(&text, &block))
            broadcast(hub, channel, block);
        text_free(&text);
        uint64_t end_ns = clock_monotonic_ns();
        uint64_t pause_ns = channel->feed.ended ? ENDED_TICK_NS : TICK_NS;
        uint64_t dear_ns = COST_SHARE * (end_ns - start_ns);
        channel->due_ns = start_ns + (dear_ns > pause_ns ? dear_ns : pause_ns);
    }
    if (channel->feed.has_rows)
        welcome_all(hub, channel);
    if (clock_monotonic_ns() - channel->sent_ns >= HEARTBEAT_NS)
        send_heartbeat(hub, channel);
    if (session_is_gone(hub, channel))
        close_channel(hub, channel);
}

static void free_channel(struct channel *channel)
{
    event_feed_clear(&channel->feed);
    free(channel->key);
    free(channel);
}

/* Unlinks channels that nobody will come back to; the caller frees them without the lock. */
static struct channel *take_deserted(struct event_hub *hub)
{
    struct channel *deserted = NULL;
    uint64_t now_ns = clock_monotonic_ns();
    size_t lingering = 0;
    for (struct channel **link = &hub->channels; *link;) {
        struct channel *channel = *link;
        if (channel->clients)
            channel->watched_ns = now_ns;
        bool lingers = !channel->clients && !channel->closed &&
                       now_ns - channel->watched_ns < LINGER_NS && lingering < LINGERING_MAX;
        lingering += lingers;
        if (channel->clients || lingers) {
            link = &channel->next;
            continue;
        }
        *link = channel->next;
        hub->channel_count--;
        channel->next = deserted;
        deserted = channel;
    }
    return deserted;
}

static void free_channels(struct channel *channel)
{
    while (channel) {
        struct channel *next = channel->next;
        free_channel(channel);
        channel = next;
    }
}

/* Sleeps until the next channel is due, or a client joins. Called and left with the lock held. */
static void wait_until_due(struct event_hub *hub)
{
    if (!hub->channels) {
        while (!hub->joined && !hub->stopping)
            pthread_cond_wait(&hub->wake, &hub->lock);
        return;
    }
    uint64_t due_ns = UINT64_MAX;
    for (struct channel *channel = hub->channels; channel; channel = channel->next)
        if (channel->due_ns < due_ns)
            due_ns = channel->due_ns;
    struct timespec until = {.tv_sec = (time_t)(due_ns / NS_PER_SECOND),
                             .tv_nsec = (long)(due_ns % NS_PER_SECOND)};
    int error = 0;
    while (!hub->joined && !hub->stopping && !error)
        error = pthread_cond_timedwait(&hub->wake, &hub->lock, &until);
}

static void *ticker_main(void *user)
{
    struct event_hub *hub = user;
    pthread_mutex_lock(&hub->lock);
    while (!hub->stopping) {
        wait_until_due(hub);
        hub->joined = false;
        struct channel *deserted = take_deserted(hub);
        /* Only this thread removes channels, and new ones go in front: the list stays walkable. */
        struct channel *first = hub->stopping ? NULL : hub->channels;
        pthread_mutex_unlock(&hub->lock);
        free_channels(deserted);
        for (struct channel *channel = first; channel; channel = channel->next)
            tick_channel(hub, channel);
        pthread_mutex_lock(&hub->lock);
    }
    pthread_mutex_unlock(&hub->lock);
    return NULL;
}

/* --- lifetime -----------------------------------------------------------------------------------
 */

int event_hub_new(struct session_registry *registry, struct event_hub **ret_hub)
{
    struct event_hub *hub = calloc(1, sizeof *hub);
    if (!hub)
        return -ENOMEM;
    hub->registry = registry;
    pthread_mutex_init(&hub->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&hub->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    int error = pthread_create(&hub->ticker, NULL, ticker_main, hub);
    if (error) {
        event_hub_free(hub);
        return -error;
    }
    hub->ticker_runs = true;
    *ret_hub = hub;
    return 0;
}

void event_hub_stop(struct event_hub *hub)
{
    if (!hub || !hub->ticker_runs)
        return;
    pthread_mutex_lock(&hub->lock);
    hub->stopping = true;
    pthread_cond_signal(&hub->wake);
    pthread_mutex_unlock(&hub->lock);
    pthread_join(hub->ticker, NULL);
    hub->ticker_runs = false;
    /* No connection suspends itself from now on; wake those that are. */
    for (struct channel *channel = hub->channels; channel; channel = channel->next) {
        pthread_mutex_lock(&hub->lock);
        struct client *list = collect_suspended(channel);
        pthread_mutex_unlock(&hub->lock);
        wake_all(list);
    }
}

void event_hub_free(struct event_hub *hub)
{
    if (!hub)
        return;
    free_channels(hub->channels);
    pthread_cond_destroy(&hub->wake);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

size_t event_hub_client_count(struct event_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    size_t count = hub->client_count;
    pthread_mutex_unlock(&hub->lock);
    return count;
}
