/* A request on its way: what the client sent, which route takes it, and what it answers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

#include "base/text.h"
#include "http/connections.h"
#include "http/params.h"
#include "http/reply.h"
#include "http/workers.h"
#include "lprofd/session.h"

#define REQUEST_TARGET_MAX_BYTES 8192
#define REQUEST_HEADERS_MAX_BYTES 16384
#define REQUEST_BODY_MAX_BYTES 65536

enum method { METHOD_GET, METHOD_POST, METHOD_PATCH, METHOD_DELETE, METHOD_COUNT };

/* "GET", ... */
const char *method_name(enum method method);

struct http_server;
struct route;

struct request {
    struct job job; /* first: of the answer's making */
    struct http_server *server;
    struct MHD_Connection *connection;
    struct connection *link; /* the same, as we keep book of it; may be NULL */
    char *target;            /* owned; path and query as they were sent */
    enum method method;
    bool is_head;
    bool accepted; /* the headers passed all checks; the body may come */
    struct text body;
    uint64_t body_seen_bytes;
    const struct route *route;
    char *path; /* owned; decoded */
    char *rest; /* borrowed from path: what a trailing {rest} of the route stands for */
    struct params params;
    uint32_t file;           /* {file} of the path */
    uint32_t session_id;     /* {id} of the path, resolved: never 0 when there is a session */
    struct session *session; /* owned reference; NULL when the route has no {id} */
    struct reply reply;      /* a worker's until `is_answered` */
    bool is_answered;
};

/*
 * Splits request->target, finds its route and fills what the path and the query say. False when
 * `reply` was made a problem.
 */
bool request_find_route(struct request *request, struct reply *reply);
/* The session that the path names, if it names one. False when `reply` was made a 404. */
bool request_find_session(struct request *request, struct reply *reply);

/* The header's value, or NULL. */
const char *request_header(const struct request *request, const char *name);
void request_free(struct request *request);
