/* Clients of the live events: they read what the ticker queued, and sleep when there is nothing. */
#include "http/event_hub_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define CHANNELS_MAX 64
#define BLOCK_BYTES 4096

static void drop_first(struct client *client)
{
    blob_unref(client->queue[client->first]);
    client->first = (client->first + 1) % QUEUE_MAX;
    client->count--;
    client->offset = 0;
}

/* Copies what is queued; with nothing to send the connection sleeps until the ticker wakes it. */
static ssize_t read_events(void *user, uint64_t position, char *buffer, size_t max)
{
    (void)position;
    struct client *client = user;
    size_t copied = 0;
    pthread_mutex_lock(&client->hub->lock);
    while (client->count && copied < max) {
        struct blob *block = client->queue[client->first];
        size_t left = block->length - client->offset;
        size_t count = left < max - copied ? left : max - copied;
        memcpy(buffer + copied, block->bytes + client->offset, count);
        copied += count;
        client->offset += count;
        if (client->offset == block->length)
            drop_first(client);
    }
    ssize_t result = (ssize_t)copied;
    if (!copied && (client->closing || client->hub->stopping)) {
        result = MHD_CONTENT_READER_END_OF_STREAM;
    } else if (!copied) {
        client->suspended = true;
        MHD_suspend_connection(client->connection);
    }
    pthread_mutex_unlock(&client->hub->lock);
    return result;
}

static void detach_client(struct client *client)
{
    if (client->previous)
        client->previous->next = client->next;
    else
        client->channel->clients = client->next;
    if (client->next)
        client->next->previous = client->previous;
    client->hub->client_count--;
}

static void free_client(void *user)
{
    struct client *client = user;
    struct event_hub *hub = client->hub;
    pthread_mutex_lock(&hub->lock);
    if (client->channel)
        detach_client(client);
    pthread_mutex_unlock(&hub->lock);
    while (client->count)
        drop_first(client);
    free(client);
}

static struct channel *find_channel(struct event_hub *hub, const char *key,
                                    const struct session *session)
{
    for (struct channel *channel = hub->channels; channel; channel = channel->next)
        if (channel->feed.session == session && !strcmp(channel->key, key))
            return channel;
    return NULL;
}

static int add_channel(struct event_hub *hub, const char *key, struct session *session,
                       uint32_t session_id, struct params *params, struct channel **ret_channel)
{
    if (hub->channel_count >= CHANNELS_MAX + LINGERING_MAX)
        return -EAGAIN;
    struct channel *channel = calloc(1, sizeof *channel);
    if (!channel || !(channel->key = strdup(key))) {
        free(channel);
        return -ENOMEM;
    }
    event_feed_init(&channel->feed, session, params);
    channel->watched_ns = clock_monotonic_ns();
    channel->session_id = session_id;
    channel->next = hub->channels;
    hub->channels = channel;
    hub->channel_count++;
    *ret_channel = channel;
    return 0;
}

static void attach_client(struct channel *channel, struct client *client)
{
    struct event_hub *hub = client->hub;
    client->channel = channel;
    client->next = channel->clients;
    if (channel->clients)
        channel->clients->previous = client;
    channel->clients = client;
    hub->client_count++;
    hub->joined = true;
    pthread_cond_signal(&hub->wake);
}

int event_hub_open(struct event_hub *hub, const char *key, struct session *session,
                   uint32_t session_id, struct params *params, bool has_last_id, uint64_t last_id,
                   struct MHD_Connection *connection, struct MHD_Response **ret_response)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client)
        return -ENOMEM;
    *client = (struct client){.hub = hub,
                              .connection = connection,
                              .fresh = true,
                              .has_last_id = has_last_id,
                              .last_id = last_id};
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_events, client, free_client);
    if (!response) {
        free(client);
        return -ENOMEM;
    }
    pthread_mutex_lock(&hub->lock);
    struct channel *channel = find_channel(hub, key, session);
    int error = channel ? 0 : add_channel(hub, key, session, session_id, params, &channel);
    if (!error)
        attach_client(channel, client);
    pthread_mutex_unlock(&hub->lock);
    if (error) {
        MHD_destroy_response(response); /* frees the client too */
        return error;
    }
    *ret_response = response;
    return 0;
}
