/*
 * Live events: one ticker thread makes what changed into Server-Sent Events (WHATWG HTML 9.2) and
 * hands them to all clients that watch the same thing. A client without news is suspended and
 * costs nothing.
 */
#pragma once

#include <stddef.h>

#include <microhttpd.h>

#include "http/params.h"
#include "lprofd/session.h"

struct event_hub;

/* 0 or -errno. */
int event_hub_new(struct session_registry *registry, struct event_hub **ret_hub);
/* Ends all streams and the ticker; clients that come afterwards end at once. NULL is harmless. */
void event_hub_stop(struct event_hub *hub);
/* After libmicrohttpd is stopped. NULL is harmless. */
void event_hub_free(struct event_hub *hub);

/*
 * A response that streams the session's events. Clients with equal `key` share the work; `params`
 * is taken over (emptied) when it is the first of them. `has_last_id` and `last_id` are the
 * client's Last-Event-ID. -EAGAIN when too many different things are watched; -ENOMEM.
 */
int event_hub_open(struct event_hub *hub, const char *key, struct session *session,
                   uint32_t session_id, struct params *params, bool has_last_id, uint64_t last_id,
                   struct MHD_Connection *connection, struct MHD_Response **ret_response);

size_t event_hub_client_count(struct event_hub *hub);
