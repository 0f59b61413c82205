/* Handlers of the daemon itself: status and health. */
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/resident.h"
#include "capture/capture.h"
#include "http/documents.h"
#include "http/handlers.h"
#include "http/server_state.h"

#define SESSIONS_MAX 4096

static void add_session_ids(cJSON *document, struct session_registry *registry)
{
    uint32_t ids[SESSIONS_MAX];
    size_t count = session_registry_list(registry, ids, SESSIONS_MAX);
    _cleanup_text_ struct text text = {0};
    text_add(&text, "[", 1);
    for (size_t i = 0; i < count && i < SESSIONS_MAX; i++)
        json_text_u64(&text, ids[i], i > 0);
    text_add(&text, "]", 1);
    json_add_raw(document, "sessions", &text);
}

static void add_names(cJSON *object, const char *key, const char *const *names)
{
    cJSON *array = json_add_array(object, key);
    for (; *names; names++)
        json_append_string(array, *names);
}

/* What "auto" tries, first to last. */
static void add_backend_choices(cJSON *capabilities)
{
    cJSON *choices = json_add_array(capabilities, "backend_choices");
    for (size_t i = 0; i < CAPTURE_CHOICES; i++) {
        cJSON *choice = json_append_object(choices);
        json_add_string(choice, "name", capture_choices[i].ops->name);
        json_add_string(choice, "reason",
                        capture_reason(&capture_choices[i], capture_choices[i].usual));
        json_add_bool(choice, "follows", capture_choices[i].follows);
    }
}

/* What POST /sessions takes. */
static void add_capabilities(cJSON *document)
{
    static const char *const metrics[] = {"cpu", NULL};
    cJSON *capabilities = json_add_object(document, "capabilities");
    add_names(capabilities, "metrics", metrics);
    add_names(capabilities, "events", session_event_names);
    add_names(capabilities, "backends", session_backend_names);
    add_backend_choices(capabilities);
    json_add_u64(capabilities, "frequency_max_hz", SESSION_FREQUENCY_MAX_HZ);
    json_add_u64(capabilities, "stack_max_bytes", SESSION_STACK_MAX_BYTES);
    json_add_bool(capabilities, "root", geteuid() == 0);
}

int handle_status(struct request *request, struct reply *reply)
{
    struct http_server *server = request->server;
    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    json_add_string(document, "version", LPROFD_VERSION);
    json_add_u64(document, "pid", (uint64_t)getpid());
    json_add_u64(document, "uptime_ns", clock_monotonic_ns() - server->started_ns);
    add_session_ids(document, server->registry);
    add_capabilities(document);
    cJSON *daemon = json_add_object(document, "daemon");
    json_add_double(daemon, "cpu_percent", meter_cpu_percent(&server->meter));
    json_add_u64(daemon, "rss_bytes", resident_bytes());
    return reply_json(reply, document);
}

int handle_health(struct request *request, struct reply *reply)
{
    struct session_registry *registry = request->server->registry;
    uint32_t ids[SESSIONS_MAX];
    size_t count = session_registry_list(registry, ids, SESSIONS_MAX);
    for (size_t i = 0; i < count && i < SESSIONS_MAX; i++) {
        struct session *session = session_registry_get(registry, ids[i]);
        struct session_info info;
        int error = session ? session_info(session, &info) : -ENOENT;
        bool moves = error || health_check(&request->server->health, &info);
        if (!error)
            session_info_free(&info);
        session_unref(session);
        if (!moves)
            return reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "Pipeline stuck",
                                 "Session %u runs but its time has not moved for 10 s.", ids[i]);
    }
    struct text text = {0};
    text_add_string(&text, "ok\n");
    reply->no_store = true;
    return reply_text(reply, "text/plain; charset=utf-8", &text);
}
