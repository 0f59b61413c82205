/* What the hub's parts share: its clients run on libmicrohttpd's threads, its ticker on its own. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/blob.h"
#include "http/event_feed.h"
#include "http/event_hub.h"

#define QUEUE_MAX 32 /* blocks that a slow client may be behind before it is cut off */
/* A client that broke off comes back to the channel that still knows what it has seen. */
#define LINGERING_MAX 16

struct client {
    struct event_hub *hub;
    struct channel *channel;
    struct client *next, *previous;
    struct client *wake_next; /* in the list of those to resume */
    struct MHD_Connection *connection;
    struct blob *queue[QUEUE_MAX]; /* owned references, a ring */
    size_t first, count;
    size_t offset; /* of the first block, already sent */
    bool suspended, closing;
    bool fresh; /* has not been caught up yet */
    bool has_last_id;
    uint64_t last_id;
};

struct channel {
    char *key; /* owned */
    struct channel *next;
    struct client *clients;
    uint32_t session_id;
    struct event_feed feed; /* the ticker's alone */
    uint64_t due_ns, sent_ns;
    uint64_t watched_ns; /* when it last had clients */
    bool closed;         /* its session is gone: nobody can come back to it */
};

struct event_hub {
    struct session_registry *registry; /* borrowed */
    pthread_t ticker;
    bool ticker_runs;
    pthread_mutex_t lock; /* guards all but the feeds */
    pthread_cond_t wake;
    bool stopping;
    bool joined; /* a fresh client waits */
    struct channel *channels;
    size_t channel_count, client_count;
};
