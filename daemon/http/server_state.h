/* What the handlers of one server share. Private to this folder. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <microhttpd.h>

#include "http/assets.h"
#include "http/cache.h"
#include "http/event_hub.h"
#include "http/guard.h"
#include "http/health.h"
#include "http/listen.h"
#include "http/meter.h"
#include "http/server.h"
#include "http/workers.h"

struct http_server {
    struct session_registry *registry; /* borrowed */
    struct session_options defaults;   /* its pointers are owned */
    struct listeners listeners;
    struct guard guard;
    struct cache *cache;                    /* owned */
    struct connections *connections;        /* owned */
    struct event_hub *hub;                  /* owned */
    struct assets *assets;                  /* owned */
    struct MHD_Daemon *daemons[LISTEN_MAX]; /* owned, one per listener */
    struct workers *answerers;              /* owned */
    struct workers *changers;               /* owned; of sessions */
    struct workers *attacher;               /* owned; one: nothing is attached to twice */
    atomic_bool stopping;                   /* what is not attached yet is given up */
    struct meter meter;
    struct health health;
    uint64_t started_ns;
    _Atomic uint64_t responses[6]; /* by hundreds of the status */
    char url[96];
};
