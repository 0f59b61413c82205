/*
 * Arbitrary requests: "METHOD TARGET", then a line for each header. The guard, the routes and the
 * query parameters; libmicrohttpd's own answers about the connection are made up here.
 */
#include "fuzz.h"

#include <strings.h>

#include <microhttpd.h>

#include "base/cleanup.h"
#include "http/guard.h"
#include "http/percent.h"
#include "http/route.h"
#include "http/utf8.h"

#define HEADERS_MAX 16
#define TOKEN "0123456789abcdef"

struct header {
    const char *name, *value;
};

/* What stands for the connection. */
struct MHD_Connection {
    struct header headers[HEADERS_MAX];
    size_t count;
};

static const char *find(const struct MHD_Connection *connection, const char *name)
{
    for (size_t i = 0; i < connection->count; i++)
        if (!strcasecmp(connection->headers[i].name, name))
            return connection->headers[i].value;
    return NULL;
}

const char *MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                        const char *key)
{
    (void)kind; /* a cookie is written as a header of its own */
    return find(connection, key);
}

int MHD_get_connection_values(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                              MHD_KeyValueIterator iterator, void *user)
{
    for (size_t i = 0; i < connection->count; i++)
        iterator(user, kind, connection->headers[i].name, connection->headers[i].value);
    return (int)connection->count;
}

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *connection,
                                                        enum MHD_ConnectionInfoType type, ...)
{
    (void)connection;
    (void)type;
    return NULL;
}

static void check_reply(struct reply *reply)
{
    fuzz_check(reply->status >= 400 && reply->blob);
    fuzz_check(utf8_valid(reply->blob->bytes, reply->blob->length));
    for (size_t i = 0; i < reply->header_count; i++)
        fuzz_check(!strpbrk(reply->headers[i].value, "\r\n"));
    reply_clear(reply);
}

/* What was let in names us as its host, and changes nothing for the page of a stranger. */
static void check_admitted(const struct request *request)
{
    const char *host = find(request->connection, "Host");
    fuzz_check(host && (!strcasecmp(host, "localhost:8080") || !strcmp(host, "127.0.0.1:8080") ||
                        !strcmp(host, "[::1]:8080")));
    if (request->method == METHOD_GET)
        return;
    const char *origin = find(request->connection, "Origin");
    fuzz_check(!origin || !strcasecmp(origin, "http://localhost:8080") ||
               !strcasecmp(origin, "http://127.0.0.1:8080") ||
               !strcasecmp(origin, "http://[::1]:8080"));
}

static void check_params(const struct params *params)
{
    fuzz_check(params->limit >= 1 && params->limit <= PARAMS_LIMIT_MAX);
    fuzz_check(params->tid_count <= PARAMS_TIDS_MAX);
    fuzz_check(params->min_percent >= 0 && params->min_percent <= 100);
    fuzz_check(!params->step_ns || params->step_ns >= 1000000);
    fuzz_check(!params->to_ns || params->to_ns > params->from_ns);
}

static void follow_route(struct request *request)
{
    struct reply reply = {0};
    size_t path_bytes = strcspn(request->target, "?");
    if (percent_decode(request->target, path_bytes, false, &request->path) || *request->path != '/')
        return;
    if (!route_find(request, &reply)) {
        check_reply(&reply);
        return;
    }
    const char *query = request->target + path_bytes;
    if (params_parse(*query ? query + 1 : "", request->route->params, &request->params, &reply))
        check_params(&request->params);
    else
        check_reply(&reply);
}

static void split(char *text, struct request *request)
{
    char *line = strsep(&text, "\n");
    for (request->method = 0; request->method < METHOD_DELETE; request->method++)
        if (!strncmp(line, method_name(request->method), 3))
            break;
    line += strcspn(line, " ");
    request->target = line + (*line == ' ');
    struct MHD_Connection *connection = request->connection;
    while (text && connection->count < HEADERS_MAX) {
        char *value = strsep(&text, "\n");
        char *name = strsep(&value, ":");
        connection->headers[connection->count++] =
            (struct header){name, value ? value + strspn(value, " ") : ""};
    }
}

static void run(const struct guard *guard, const uint8_t *bytes, size_t length)
{
    char *text = fuzz_string(bytes, length);
    struct MHD_Connection connection = {0};
    struct request request = {.connection = &connection};
    struct reply reply = {0};
    split(text, &request);
    if (guard_admit(guard, &request, &reply))
        check_admitted(&request);
    else
        check_reply(&reply);
    follow_route(&request);
    params_free(&request.params);
    free(request.path);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct guard guards[2];
    struct listeners listeners = {.count = 1, .port = 8080};
    if (!guards[0].host_count) {
        strcpy(listeners.items[0].name, "127.0.0.1:8080");
        fuzz_check(guard_init(&guards[0], &listeners, NULL, NULL) == 0);
        fuzz_check(guard_init(&guards[1], &listeners, TOKEN, NULL) == 0);
    }
    if (length)
        run(&guards[*bytes & 1], bytes + 1, length - 1);
    return 0;
}
