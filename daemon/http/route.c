/* The route table. */
#include "http/route.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/handlers.h"

#define API "/api/v1"
#define SESSION API "/sessions/{id}"
#define LISTING (PARAMS_RANGE | PARAMS_FRAMES)
#define GRAPH                                                                                      \
    (PARAM_MIN_PERCENT | PARAM_MAX_NODES | PARAM_CENTER | PARAM_DIRECTION | PARAM_INVERTED |       \
     PARAM_SITES)
#define DIFF (PARAM_DIFF | PARAM_METRIC | PARAMS_FRAMES | PARAM_LIMIT)

const struct route routes[] = {
    {METHOD_GET, "/", handle_asset, PARAM_TOKEN, ANSWER_AT_ONCE},
    {METHOD_GET, "/assets/{rest}", handle_asset, 0, ANSWER_AT_ONCE},
    {METHOD_GET, "/healthz", handle_health, 0, ANSWER_AT_ONCE},
    {METHOD_GET, "/metrics", handle_metrics, 0, ANSWER_AT_ONCE},
    {METHOD_GET, API "/openapi.json", handle_openapi, 0, ANSWER_AT_ONCE},
    {METHOD_GET, API "/status", handle_status, 0, ANSWER_AT_ONCE},
    {METHOD_GET, API "/processes", handle_processes, 0, ANSWER_NEW},
    {METHOD_GET, API "/sessions", handle_sessions, 0, ANSWER_NEW},
    {METHOD_POST, API "/sessions", handle_session_create, 0, ANSWER_ONE_BY_ONE},
    {METHOD_GET, SESSION, handle_session, 0, ANSWER_NEW},
    {METHOD_PATCH, SESSION, handle_session_change, 0, ANSWER_CHANGED},
    {METHOD_DELETE, SESSION, handle_session_delete, PARAM_FORGET, ANSWER_CHANGED},
    {METHOD_GET, SESSION "/threads", handle_threads, PARAMS_RANGE | PARAMS_FRAMES | PARAMS_PAGE,
     ANSWER_KEPT},
    {METHOD_GET, SESSION "/timeline", handle_timeline,
     PARAMS_RANGE | PARAM_FOCUS | PARAM_HIDE | PARAM_STEP | PARAM_POINTS | PARAM_LIMIT,
     ANSWER_KEPT},
    {METHOD_GET, SESSION "/functions", handle_functions, PARAMS_TABLE | PARAM_FILTER | PARAM_GROUP,
     ANSWER_KEPT},
    {METHOD_GET, SESSION "/lines", handle_lines, PARAMS_TABLE | PARAM_FILTER | PARAM_GROUP,
     ANSWER_KEPT},
    /* Whether a file can be read may change at any time, whatever the session's epoch is. */
    {METHOD_GET, SESSION "/files", handle_files, PARAMS_TABLE, ANSWER_NEW},
    {METHOD_GET, SESSION "/files/{file}/lines", handle_file_lines,
     PARAMS_RANGE | PARAMS_FRAMES | PARAM_SORT, ANSWER_NEW},
    {METHOD_GET, SESSION "/files/{file}/functions", handle_file_functions,
     PARAMS_RANGE | PARAMS_FRAMES | PARAM_SORT, ANSWER_NEW},
    {METHOD_GET, SESSION "/files/{file}/text", handle_file_text, 0, ANSWER_NEW},
    {METHOD_GET, SESSION "/files/{file}/listing", handle_file_listing, LISTING | PARAM_SELF,
     ANSWER_NEW},
    {METHOD_GET, SESSION "/flamegraph", handle_flamegraph, PARAMS_RANGE | PARAMS_FRAMES | GRAPH,
     ANSWER_KEPT},
    {METHOD_GET, API "/diff", handle_diff, DIFF, ANSWER_NEW},
    {METHOD_GET, SESSION "/events", handle_events,
     PARAMS_RANGE | PARAMS_FRAMES | PARAM_SORT | PARAM_LIMIT | PARAM_FILE | PARAM_FUNCTIONS,
     ANSWER_NEW},
};
const size_t route_count = array_length(routes);

const char *method_name(enum method method)
{
    static const char *const names[] = {"GET", "POST", "PATCH", "DELETE"};
    return names[method];
}

/* A number of a path: digits only, no leading zero, fits. */
static bool parse_id(const char *segment, size_t length, uint32_t *ret_id)
{
    uint64_t id = 0;
    if (!length || length > 10 || *segment == '0')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (segment[i] < '0' || segment[i] > '9')
            return false;
        id = id * 10 + (uint64_t)(segment[i] - '0');
    }
    *ret_id = (uint32_t)id;
    return id <= UINT32_MAX;
}

struct match {
    uint32_t session_id, file;
    bool has_session, has_file;
    size_t rest; /* offset in the path, 0: none */
};

/* Matches one segment; both lengths are without the slash. */
static bool match_segment(const char *pattern, size_t pattern_length, const char *segment,
                          size_t length, struct match *match)
{
    static const char current[] = "current";
    if (pattern_length == 4 && !memcmp(pattern, "{id}", 4)) {
        match->has_session = true;
        return (length == sizeof current - 1 && !memcmp(segment, current, length)) ||
               parse_id(segment, length, &match->session_id);
    }
    if (pattern_length == 6 && !memcmp(pattern, "{file}", 6)) {
        match->has_file = true;
        return parse_id(segment, length, &match->file);
    }
    return length == pattern_length && !memcmp(segment, pattern, length);
}

static bool match_path(const char *pattern, const char *path, struct match *ret_match)
{
    struct match match = {0};
    const char *cursor = path;
    while (*pattern == '/' && *cursor == '/') {
        pattern++;
        cursor++;
        if (!strcmp(pattern, "{rest}")) {
            match.rest = (size_t)(cursor - path);
            *ret_match = match;
            return true;
        }
        size_t pattern_length = strcspn(pattern, "/");
        size_t length = strcspn(cursor, "/");
        if (!match_segment(pattern, pattern_length, cursor, length, &match))
            return false;
        pattern += pattern_length;
        cursor += length;
    }
    *ret_match = match;
    return !*pattern && !*cursor;
}

static void accept_match(struct request *request, const struct route *route,
                         const struct match *match)
{
    request->route = route;
    request->session_id = match->session_id;
    request->file = match->file;
    request->rest = match->rest ? request->path + match->rest : NULL;
}

bool route_find(struct request *request, struct reply *reply)
{
    _cleanup_text_ struct text allow = {0};
    for (size_t i = 0; i < route_count; i++) {
        struct match match;
        if (!match_path(routes[i].path, request->path, &match))
            continue;
        if (request->method == routes[i].method) {
            accept_match(request, &routes[i], &match);
            return true;
        }
        text_printf(&allow, "%s%s", allow.length ? ", " : "", method_name(routes[i].method));
        if (routes[i].method == METHOD_GET)
            text_add_string(&allow, ", HEAD");
    }
    if (allow.length) {
        reply_problem(reply, MHD_HTTP_METHOD_NOT_ALLOWED, NULL, "%.200s takes only %s.",
                      request->path, allow.bytes);
        reply_add_header(reply, MHD_HTTP_HEADER_ALLOW, "%s", allow.bytes);
    } else {
        reply_problem(reply, MHD_HTTP_NOT_FOUND, NULL,
                      "There is nothing at %.200s; /api/v1/openapi.json lists what there is.",
                      request->path);
    }
    return false;
}
