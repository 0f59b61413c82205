/* Answers of the REST interface without a server. */
#include "http/local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/json.h"
#include "http/route.h"
#include "http/server_state.h"

static void free_request(struct request **request)
{
    request_free(*request);
}

/* What a client would make of the problem. */
static int fail(const struct reply *reply, struct failure *failure)
{
    _cleanup_json_ cJSON *problem =
        reply->blob ? cJSON_ParseWithLength(reply->blob->bytes, reply->blob->length) : NULL;
    const char *detail = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(problem, "detail"));
    return failure_set(failure, reply->status == MHD_HTTP_NOT_FOUND ? -ENOENT : -EIO, "%s",
                       detail ? detail : "no reason given");
}

static int answer(struct request *request, struct reply *reply)
{
    if (!request_find_route(request, reply) || !request_find_session(request, reply))
        return 0;
    return request->route->handle(request, reply);
}

int local_get(struct session_registry *registry, const char *target, struct text *to,
              struct failure *ret_failure)
{
    struct http_server server = {.registry = registry};
    _cleanup_(free_request) struct request *request = calloc(1, sizeof *request);
    _cleanup_(reply_clear) struct reply reply = {0};
    if (!request || !(request->target = strdup(target)))
        return failure_set(ret_failure, -ENOMEM, "out of memory");
    request->server = &server;
    request->method = METHOD_GET;
    int error = answer(request, &reply);
    if (error)
        return failure_set(ret_failure, error, "%s", strerror(-error));
    if (reply.status != MHD_HTTP_OK)
        return fail(&reply, ret_failure);
    if (reply.blob)
        text_add(to, reply.blob->bytes, reply.blob->length);
    return to->failed ? failure_set(ret_failure, -ENOMEM, "out of memory") : 0;
}
