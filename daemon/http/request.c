/* A request: what its target names. */
#include "http/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/percent.h"
#include "http/route.h"
#include "http/server_state.h"

const char *request_header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

void request_free(struct request *request)
{
    if (!request)
        return;
    reply_clear(&request->reply);
    text_free(&request->body);
    params_free(&request->params);
    session_unref(request->session);
    free(request->path);
    free(request->target);
    free(request);
}

bool request_find_route(struct request *request, struct reply *reply)
{
    size_t path_bytes = strcspn(request->target, "?");
    int error = percent_decode(request->target, path_bytes, false, &request->path);
    if (error || *request->path != '/') {
        reply_problem(reply, MHD_HTTP_BAD_REQUEST, "Malformed target",
                      "The request target is not a path, or has a bad %% escape.");
        return false;
    }
    if (!route_find(request, reply))
        return false;
    const char *query = request->target + path_bytes;
    return params_parse(*query ? query + 1 : "", request->route->params, &request->params, reply);
}

bool request_find_session(struct request *request, struct reply *reply)
{
    if (!strstr(request->route->path, "{id}"))
        return true;
    struct session_registry *registry = request->server->registry;
    uint32_t id = request->session_id;
    if (!id) { /* "current": name it, so that answers can be told apart */
        uint32_t ids[1024];
        size_t count = session_registry_list(registry, ids, array_length(ids));
        if (count && count <= array_length(ids))
            id = ids[count - 1];
    }
    request->session = session_registry_get(registry, id);
    request->session_id = id;
    if (request->session)
        return true;
    if (id)
        reply_problem(reply, MHD_HTTP_NOT_FOUND, "No such session", "There is no session %u.", id);
    else
        reply_problem(reply, MHD_HTTP_NOT_FOUND, "No session",
                      "Nothing is being profiled; attach with POST /api/v1/sessions.");
    return false;
}
