/* Handlers of sessions: list, attach, look, pause and resume, detach. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/documents.h"
#include "http/fields.h"
#include "http/handlers.h"
#include "http/server_state.h"

#define SESSIONS_MAX 4096
#define PID_MAX 4194304
#define ATTACH_POLL_NS (50 * NS_PER_MS)
#define DURATION_MAX_NS (UINT64_C(366) * 86400 * 1000000000)

static void session_unrefp(struct session **session)
{
    session_unref(*session);
}

#define _cleanup_session_ __attribute__((cleanup(session_unrefp)))
#define _cleanup_session_info_ __attribute__((cleanup(session_info_free)))

int handle_sessions(struct request *request, struct reply *reply)
{
    struct session_registry *registry = request->server->registry;
    _cleanup_free_ uint32_t *ids = calloc(SESSIONS_MAX, sizeof *ids);
    if (!ids)
        return -ENOMEM;
    size_t count = session_registry_list(registry, ids, SESSIONS_MAX);
    _cleanup_json_ cJSON *document = cJSON_CreateArray();
    for (size_t i = 0; i < count && i < SESSIONS_MAX; i++) {
        _cleanup_session_ struct session *session = session_registry_get(registry, ids[i]);
        if (!session) /* gone since */
            continue;
        struct session_info info;
        int error = session_info(session, &info);
        if (error)
            return error;
        document_add_session(json_append_object(document), &info);
        session_info_free(&info);
    }
    return reply_json(reply, document);
}

static int reply_session(struct session *session, struct reply *reply)
{
    struct session_info info;
    int error = session_info(session, &info);
    if (error)
        return error;
    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    document_add_session(document, &info);
    session_info_free(&info);
    return reply_json(reply, document);
}

int handle_session(struct request *request, struct reply *reply)
{
    return reply_session(request->session, reply);
}

struct attach_fields {
    uint64_t pid, frequency_hz, stack_bytes, duration_ns;
    const char *event, *backend;
    bool follow;
};

static const struct field attach_table[] = {
    {.name = "pid",
     .type = FIELD_U64,
     .min = 1,
     .max = PID_MAX,
     .required = true,
     .offset = offsetof(struct attach_fields, pid)},
    {.name = "frequency_hz",
     .type = FIELD_U64,
     .min = 1,
     .max = SESSION_FREQUENCY_MAX_HZ,
     .offset = offsetof(struct attach_fields, frequency_hz)},
    {.name = "event",
     .type = FIELD_CHOICE,
     .choices = session_event_names,
     .offset = offsetof(struct attach_fields, event)},
    {.name = "backend",
     .type = FIELD_CHOICE,
     .choices = session_backend_names,
     .offset = offsetof(struct attach_fields, backend)},
    {.name = "stack_bytes",
     .type = FIELD_U64,
     .min = 512,
     .max = SESSION_STACK_MAX_BYTES,
     .multiple = 8,
     .offset = offsetof(struct attach_fields, stack_bytes)},
    {.name = "duration_ns",
     .type = FIELD_U64,
     .max = DURATION_MAX_NS,
     .offset = offsetof(struct attach_fields, duration_ns)},
    {.name = "follow", .type = FIELD_BOOL, .offset = offsetof(struct attach_fields, follow)},
};

/* The id of a session that samples this process now, or 0. */
static uint32_t find_attached(struct session_registry *registry, pid_t pid)
{
    uint32_t ids[SESSIONS_MAX];
    size_t count = session_registry_list(registry, ids, SESSIONS_MAX);
    for (size_t i = 0; i < count && i < SESSIONS_MAX; i++) {
        _cleanup_session_ struct session *session = session_registry_get(registry, ids[i]);
        struct session_info info;
        if (!session || session_info(session, &info))
            continue;
        bool samples =
            info.pid == pid && (info.state == SESSION_ATTACHING || info.state == SESSION_RUNNING ||
                                info.state == SESSION_PAUSED);
        session_info_free(&info);
        if (samples)
            return ids[i];
    }
    return 0;
}

/* What the failure of an attach is in HTTP's terms. */
static unsigned status_of_failure(int error)
{
    switch (error) {
    case -ESRCH:
    case -ENOENT:
        return MHD_HTTP_NOT_FOUND;
    case -EPERM:
    case -EACCES:
        return MHD_HTTP_FORBIDDEN;
    case -EALREADY:
    case -EBUSY:
        return MHD_HTTP_CONFLICT;
    case -ECANCELED:
    case -ENOMEM:
    case -ENOBUFS:
    case -EMFILE:
    case -ENFILE:
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    default:
        return MHD_HTTP_UNPROCESSABLE_CONTENT;
    }
}

static int reply_attach_failure(struct reply *reply, const struct failure *failure)
{
    static const struct {
        unsigned status;
        const char *title;
    } titles[] = {
        {MHD_HTTP_NOT_FOUND, "No such process"},
        {MHD_HTTP_FORBIDDEN, "Not permitted"},
        {MHD_HTTP_CONFLICT, "Already attached"},
        {MHD_HTTP_UNPROCESSABLE_CONTENT, "Cannot be profiled"},
    };
    unsigned status = status_of_failure(failure->error);
    const char *title = NULL;
    for (size_t i = 0; i < array_length(titles); i++)
        if (titles[i].status == status)
            title = titles[i].title;
    return reply_problem(reply, status, title, "%s", failure->text);
}

/* The answer waits for it, but not the end of the server. */
static int wait_until_attached(const struct http_server *server, struct session *session,
                               struct failure *ret_failure)
{
    int error;
    do
        error = session_wait_attached(session, ATTACH_POLL_NS, ret_failure);
    while (error == -EINPROGRESS && !atomic_load(&server->stopping));
    return error == -EINPROGRESS
               ? failure_set(ret_failure, -ECANCELED, "lprofd ended while it attached")
               : error;
}

static int attach(struct request *request, const struct attach_fields *fields, struct reply *reply)
{
    struct http_server *server = request->server;
    struct session_options options = server->defaults;
    options.pid = (pid_t)fields->pid;
    options.frequency_hz = (uint32_t)fields->frequency_hz;
    options.stack_bytes = (uint32_t)fields->stack_bytes;
    options.duration_ns = fields->duration_ns;
    options.event = fields->event;
    options.backend = fields->backend;
    options.follow = fields->follow;
    uint32_t known = find_attached(server->registry, options.pid);
    if (known)
        return reply_problem(reply, MHD_HTTP_CONFLICT, "Already attached",
                             "Session %u already profiles process %d.", known, (int)options.pid);

    _cleanup_session_ struct session *session = NULL;
    struct failure failure = {0};
    int error = session_start(&options, &session, &failure);
    if (!error)
        error = wait_until_attached(server, session, &failure);
    if (error) {
        if (!*failure.text)
            failure_set(&failure, error, "cannot attach to %d: %s", (int)options.pid,
                        strerror(-error));
        return reply_attach_failure(reply, &failure);
    }
    uint32_t id;
    error = session_registry_add(server->registry, session, &id);
    if (error)
        return error;
    reply->status = MHD_HTTP_CREATED;
    reply_add_header(reply, MHD_HTTP_HEADER_LOCATION, "/api/v1/sessions/%u", id);
    return reply_session(session, reply);
}

int handle_session_create(struct request *request, struct reply *reply)
{
    const struct session_options *defaults = &request->server->defaults;
    struct attach_fields fields = {
        .frequency_hz = defaults->frequency_hz,
        .stack_bytes = defaults->stack_bytes,
        .duration_ns = defaults->duration_ns,
        .event = defaults->event,
        .backend = defaults->backend,
    };
    if (!fields_parse(&request->body, attach_table, array_length(attach_table), &fields, reply))
        return 0;
    return attach(request, &fields, reply);
}

int handle_session_change(struct request *request, struct reply *reply)
{
    static const char *const states[] = {"paused", "running", NULL};
    static const struct field table[] = {
        {.name = "state", .type = FIELD_CHOICE, .choices = states, .required = true}};
    const char *state = NULL;
    if (!fields_parse(&request->body, table, array_length(table), &state, reply))
        return 0;
    int error = strcmp(state, "paused") ? session_resume(request->session)
                                        : session_pause(request->session);
    /* Asking for the state that it has is fine. */
    if (error && error != -EALREADY && error != -ESRCH)
        return reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
                             "Session %u cannot be made %s: %s.", request->session_id, state,
                             strerror(-error));
    if (error == -ESRCH)
        return reply_problem(reply, MHD_HTTP_CONFLICT, "Not running",
                             "Session %u cannot be made %s: it no longer samples its target.",
                             request->session_id, state);
    return reply_session(request->session, reply);
}

int handle_session_delete(struct request *request, struct reply *reply)
{
    int error = session_detach(request->session);
    if (error && error != -EALREADY && error != -ESRCH)
        return error;
    if (request->params.forget)
        (void)session_registry_remove(request->server->registry, request->session_id);
    reply->status = MHD_HTTP_NO_CONTENT;
    return 0;
}
