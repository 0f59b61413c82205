/* From libmicrohttpd's callbacks to a handler and back. */
#include "http/dispatch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/respond.h"
#include "http/route.h"
#include "http/server_state.h"

/* What a client may still send of a body that is refused already, before it is cut off. */
#define DISCARD_MAX_BYTES (1u << 20)

static void drop(void *request)
{
    request_free(request);
}

void *dispatch_begin(void *server, const char *target, struct MHD_Connection *connection)
{
    struct request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->server = server;
    request->connection = connection;
    request->link = connections_find(connection);
    /* One byte more than is allowed, so that too long ones are noticed. */
    request->target = strndup(target, REQUEST_TARGET_MAX_BYTES + 1);
    if (!request->target) {
        free(request);
        return NULL;
    }
    connection_keep(request->link, request, drop); /* it may end here, and nobody is told */
    return request;
}

size_t dispatch_keep_escaped(void *server, struct MHD_Connection *connection, char *text)
{
    (void)server;
    (void)connection;
    return strlen(text);
}

void dispatch_end(void *server, struct MHD_Connection *connection, void **context,
                  enum MHD_RequestTerminationCode why)
{
    (void)server;
    (void)connection;
    (void)why;
    struct request *request = take_pointer(*context);
    struct connection *link = request ? request->link : NULL;
    connection_receives(link); /* the next one */
    if (link)
        connection_keep(link, NULL, NULL);
    else
        request_free(request);
}

static bool parse_method(const char *name, struct request *request)
{
    request->is_head = !strcmp(name, "HEAD");
    if (request->is_head)
        return true;
    for (request->method = 0; request->method < METHOD_COUNT; request->method++)
        if (!strcmp(name, method_name(request->method)))
            return true;
    return false;
}

static enum MHD_Result add_header_bytes(void *sum, enum MHD_ValueKind kind, const char *key,
                                        size_t key_bytes, const char *value, size_t value_bytes)
{
    (void)kind;
    (void)key;
    (void)value;
    *(size_t *)sum += key_bytes + value_bytes + 4;
    return MHD_YES;
}

static bool check_sizes(struct request *request, struct reply *reply)
{
    size_t header_bytes = 0;
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, add_header_bytes,
                                &header_bytes);
    if (strlen(request->target) > REQUEST_TARGET_MAX_BYTES) {
        reply_problem(reply, MHD_HTTP_URI_TOO_LONG, NULL,
                      "The request target is longer than %d "
                      "bytes.",
                      REQUEST_TARGET_MAX_BYTES);
        return false;
    }
    if (header_bytes > REQUEST_HEADERS_MAX_BYTES) {
        reply_problem(reply, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, NULL,
                      "The header fields are more than %d bytes.", REQUEST_HEADERS_MAX_BYTES);
        return false;
    }
    const char *length = request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (length && strtoull(length, NULL, 10) > REQUEST_BODY_MAX_BYTES) {
        reply_problem(reply, MHD_HTTP_CONTENT_TOO_LARGE, NULL, "The body is larger than %d bytes.",
                      REQUEST_BODY_MAX_BYTES);
        return false;
    }
    return true;
}

/* All checks that need no body. */
static bool admit(struct request *request, const char *method, struct reply *reply)
{
    bool known = parse_method(method, request);
    if (!known)
        request->method = METHOD_COUNT;
    return check_sizes(request, reply) && guard_admit(&request->server->guard, request, reply) &&
           request_find_route(request, reply);
}

/* Runs a handler whose answer depends on the epoch and the target alone, through the cache. */
static int handle_pure(struct request *request, struct reply *reply)
{
    struct session_info info;
    int error = session_info(request->session, &info);
    if (error)
        return error;
    uint64_t epoch = info.epoch;
    session_info_free(&info);
    _cleanup_free_ char *key = NULL;
    const char *query = strchr(request->target, '?');
    if (asprintf(&key, "%u %s %s", request->session_id, request->route->path, query ? query : "") <
        0)
        return -ENOMEM;
    reply->blob = cache_get(request->server->cache, key, epoch);
    if (reply->blob) {
        reply->status = MHD_HTTP_OK;
        reply->content_type = "application/json";
        return 0;
    }
    error = request->route->handle(request, reply);
    if (!error && reply->status == MHD_HTTP_OK && !reply->header_count && reply->blob)
        cache_put(request->server->cache, key, epoch, reply->blob);
    return error;
}

static void answer(struct request *request, struct reply *reply)
{
    if (!request_find_session(request, reply))
        return;
    int error = request->route->answering == ANSWER_KEPT ? handle_pure(request, reply)
                                                         : request->route->handle(request, reply);
    if (error == -ENOMEM)
        reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "Out of memory",
                      "lprofd has not enough memory to answer this.");
    else if (error)
        reply_problem(reply, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL, "%s", strerror(-error));
}

/* For clients that are too many: an answer that costs next to nothing, and the end. */
static void refuse(struct reply *reply)
{
    reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "Too many clients",
                  "lprofd serves as many connections as it can; try again later.");
    reply_add_header(reply, MHD_HTTP_HEADER_RETRY_AFTER, "5");
    reply_add_header(reply, MHD_HTTP_HEADER_CONNECTION, "close");
}

static size_t bytes_of(const struct reply *reply)
{
    return reply->blob ? reply->blob->length : 0;
}

static enum MHD_Result send_reply(struct request *request)
{
    struct reply *reply = &request->reply;
    if (reply->stream)
        connection_waits(request->link);
    else
        connection_answers(request->link, bytes_of(reply));
    unsigned hundreds = reply->status / 100;
    if (hundreds < array_length(request->server->responses))
        atomic_fetch_add(&request->server->responses[hundreds], 1);
    enum MHD_Result result = respond(request, reply);
    reply_clear(reply);
    return result;
}

/* The connection is closed, or served, by the time that this returns. */
static void wake(struct request *request)
{
    request->is_answered = true;
    MHD_resume_connection(request->connection);
}

/* Stopped, or with more answers than clients read, lprofd makes none any more. */
static void answer_or_refuse(struct request *request)
{
    struct reply *reply = &request->reply;
    if (atomic_load(&request->server->stopping))
        reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, "lprofd ends.");
    else if (connections_are_full(request->server->connections))
        refuse(reply);
    else
        answer(request, reply);
    respond_prepare(request, reply);
}

void dispatch_answer(struct job *job)
{
    struct request *request = (struct request *)job; /* its first member */
    answer_or_refuse(request);
    if (!request->reply.stream) /* it counts from here on, not when its turn to be sent comes */
        connection_answers(request->link, bytes_of(&request->reply));
    wake(request);
}

static struct workers *workers_for(const struct request *request)
{
    const struct http_server *server = request->server;
    switch (request->route->answering) {
    case ANSWER_CHANGED:
        return server->changers;
    case ANSWER_ONE_BY_ONE:
        return server->attacher;
    default:
        return server->answerers;
    }
}

/* Until it is woken, the connection sleeps. A long query is not the client's delay. */
static void hand_over(struct request *request)
{
    connection_waits(request->link);
    MHD_suspend_connection(request->connection);
    if (workers_add(workers_for(request), &request->job))
        return;
    answer_or_refuse(request); /* they have stopped */
    wake(request);
}

/* Takes a piece of the body. False when the connection has to be cut. */
static bool take_body(struct request *request, const char *bytes, size_t *count)
{
    request->body_seen_bytes += *count;
    if (request->body_seen_bytes <= REQUEST_BODY_MAX_BYTES)
        text_add(&request->body, bytes, *count);
    else
        text_free(&request->body);
    *count = 0;
    return request->body_seen_bytes <= DISCARD_MAX_BYTES;
}

static bool check_body(const struct request *request, struct reply *reply)
{
    bool takes_body = request->method == METHOD_POST || request->method == METHOD_PATCH;
    if (request->body_seen_bytes > REQUEST_BODY_MAX_BYTES) {
        reply_problem(reply, MHD_HTTP_CONTENT_TOO_LARGE, NULL, "The body is larger than %d bytes.",
                      REQUEST_BODY_MAX_BYTES);
        return false;
    }
    if (request->body_seen_bytes && !takes_body) {
        reply_problem(reply, MHD_HTTP_BAD_REQUEST, "Unexpected body", "A %s request takes no body.",
                      method_name(request->method));
        return false;
    }
    return true;
}

enum MHD_Result dispatch_request(void *server, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload_data,
                                 size_t *upload_bytes, void **context)
{
    (void)server;
    (void)connection;
    (void)url;
    (void)version;
    struct request *request = *context;
    if (!request)
        return MHD_NO;
    if (request->is_answered)
        return send_reply(request);
    if (!request->accepted) {
        if (connection_is_refused(request->link))
            refuse(&request->reply);
        else
            request->accepted = admit(request, method, &request->reply);
        return request->accepted ? MHD_YES : send_reply(request);
    }
    if (*upload_bytes)
        return take_body(request, upload_data, upload_bytes) ? MHD_YES : MHD_NO;
    if (!check_body(request, &request->reply))
        return send_reply(request);
    if (request->route->answering == ANSWER_AT_ONCE) {
        answer(request, &request->reply);
        return send_reply(request);
    }
    hand_over(request);
    return MHD_YES;
}
