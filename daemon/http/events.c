/* The handler of a session's live events. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/event_rows.h"
#include "http/handlers.h"
#include "http/respond.h"
#include "http/server_state.h"
#include "http/view.h"

static bool has_file(const struct profile_view *view, uint32_t file)
{
    _cleanup_symbols_lock_ const struct symbols *locked = view_lock_symbols(view);
    return file < symbols_file_count(view->symbols);
}

/* A focus (or the like) that no query understands has to be refused before the stream begins. */
static int check_stacks(struct request *request, const struct profile_view *view)
{
    _cleanup_(event_rows_clear) struct event_rows rows = {0};
    if (request->params.focus.count + request->params.hide.count == 0)
        return 0;
    struct query_options options = params_query_options(&request->params);
    return event_rows_query(view, &options, &request->params, &rows);
}

/* True when there can be a stream; else the reply, or *ret_error, says why not. */
static bool check_request(struct request *request, struct reply *reply, int *ret_error)
{
    _cleanup_view_ struct profile_view *view = NULL;
    *ret_error = session_view(request->session, &view);
    if (*ret_error)
        return false;
    if (!has_file(view, request->params.file)) {
        reply_problem(reply, MHD_HTTP_NOT_FOUND, "No such file", "Session %u knows no file %u.",
                      request->session_id, request->params.file);
        return false;
    }
    int error = check_stacks(request, view);
    if (error)
        *ret_error = view_query_failed(reply, error);
    return !error;
}

/* Ids are ours: what cannot be one is ignored, as if the client were new. */
static bool parse_last_id(const char *text, uint64_t *ret_id)
{
    if (!text || !*text || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    *ret_id = strtoull(text, NULL, 10);
    return errno == 0;
}

static void add_stream_headers(struct MHD_Response *response)
{
    respond_add_security_headers(response, false);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

/* HEAD: the headers that GET would have. */
static int reply_headers_only(struct reply *reply)
{
    reply->status = MHD_HTTP_OK;
    reply->content_type = "text/event-stream";
    reply->no_store = true;
    return 0;
}

int handle_events(struct request *request, struct reply *reply)
{
    int error;
    if (!check_request(request, reply, &error))
        return error;
    if (request->is_head)
        return reply_headers_only(reply);
    uint64_t last_id = 0;
    bool has_last_id = parse_last_id(request_header(request, "Last-Event-ID"), &last_id);
    const char *query = strchr(request->target, '?');
    error = event_hub_open(request->server->hub, query ? query : "", request->session,
                           request->session_id, &request->params, has_last_id, last_id,
                           request->connection, &reply->stream);
    if (error == -EAGAIN)
        return reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "Too many streams",
                             "Too many different event streams are open; close some, or use the "
                             "same parameters.");
    if (error)
        return error;
    add_stream_headers(reply->stream);
    reply->status = MHD_HTTP_OK;
    return 0;
}
