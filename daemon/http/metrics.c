/* The metrics of the daemon and its sessions in Prometheus' text format 0.0.4. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/resident.h"
#include "http/handlers.h"
#include "http/server_state.h"

#define SESSIONS_MAX 256

/* Counters end in _total; all are in base units (seconds, bytes). */
struct session_metric {
    const char *name, *type, *help;
    double (*value)(const struct session_info *info);
};

static double samples(const struct session_info *info)
{
    return (double)info->samples.total;
}

static double lost(const struct session_info *info)
{
    return (double)info->samples.lost;
}

static double throttled(const struct session_info *info)
{
    return (double)info->samples.throttled;
}

static double truncated(const struct session_info *info)
{
    return (double)info->samples.truncated_stacks;
}

static double unwound(const struct session_info *info)
{
    return (double)info->samples.unwound_to_root;
}

static double unresolved(const struct session_info *info)
{
    return (double)info->samples.unresolved_frames;
}

static double sampled_time(const struct session_info *info)
{
    return (double)info->sampled_ns / (double)NS_PER_SECOND;
}

static double accounted_time(const struct session_info *info)
{
    return (double)info->accounted_ns / (double)NS_PER_SECOND;
}

static double duration(const struct session_info *info)
{
    return (double)info->duration_ns / (double)NS_PER_SECOND;
}

static double threads(const struct session_info *info)
{
    return info->threads;
}

static double running(const struct session_info *info)
{
    return info->state == SESSION_RUNNING;
}

static const struct session_metric session_metrics[] = {
    {"lprofd_session_samples_total", "counter", "Samples taken of the target.", samples},
    {"lprofd_session_lost_samples_total", "counter", "Samples lost because a ring was full.", lost},
    {"lprofd_session_throttled_total", "counter",
     "Times that the kernel throttled the sampling event.", throttled},
    {"lprofd_session_truncated_stacks_total", "counter",
     "Stacks that were longer than the copy of them.", truncated},
    {"lprofd_session_unwound_stacks_total", "counter", "Stacks that were unwound to their root.",
     unwound},
    {"lprofd_session_unresolved_frames", "gauge", "Distinct frames without a name.", unresolved},
    {"lprofd_session_sampled_seconds_total", "counter", "CPU time that the samples stand for.",
     sampled_time},
    {"lprofd_session_accounted_seconds_total", "counter",
     "CPU time of the target by the kernel's books.", accounted_time},
    {"lprofd_session_duration_seconds", "gauge", "How long the session has been sampling.",
     duration},
    {"lprofd_session_threads", "gauge", "Threads of the target that are alive.", threads},
    {"lprofd_session_running", "gauge", "1 while the session samples its target.", running},
};

static void add_header(struct text *text, const char *name, const char *type, const char *help)
{
    text_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_session_metric(struct text *text, const struct session_metric *metric,
                               const struct session_info *infos, size_t count)
{
    add_header(text, metric->name, metric->type, metric->help);
    for (size_t i = 0; i < count; i++)
        text_printf(text, "%s{session=\"%u\",pid=\"%d\",backend=\"%s\",event=\"%s\"} %.17g\n",
                    metric->name, infos[i].id, (int)infos[i].pid,
                    infos[i].backend ? infos[i].backend : "", infos[i].event ? infos[i].event : "",
                    metric->value(&infos[i]));
}

static void add_daemon_metrics(struct text *text, struct http_server *server)
{
    add_header(text, "lprofd_build_info", "gauge", "The version that runs, as a label.");
    text_printf(text, "lprofd_build_info{version=\"%s\"} 1\n", LPROFD_VERSION);
    add_header(text, "lprofd_uptime_seconds", "gauge", "How long the server has been up.");
    text_printf(text, "lprofd_uptime_seconds %.9f\n",
                (double)(clock_monotonic_ns() - server->started_ns) / (double)NS_PER_SECOND);
    add_header(text, "lprofd_process_cpu_seconds_total", "counter", "CPU time used by lprofd.");
    text_printf(text, "lprofd_process_cpu_seconds_total %.9f\n",
                (double)clock_process_cpu_ns() / (double)NS_PER_SECOND);
    add_header(text, "lprofd_process_resident_memory_bytes", "gauge", "Memory held by lprofd.");
    text_printf(text, "lprofd_process_resident_memory_bytes %" PRIu64 "\n", resident_bytes());
    add_header(text, "lprofd_http_event_streams", "gauge", "Clients that listen to live events.");
    text_printf(text, "lprofd_http_event_streams %zu\n", event_hub_client_count(server->hub));
    add_header(text, "lprofd_http_responses_total", "counter", "Responses by class of status.");
    for (size_t i = 2; i < array_length(server->responses); i++)
        text_printf(text, "lprofd_http_responses_total{class=\"%zuxx\"} %" PRIu64 "\n", i,
                    atomic_load(&server->responses[i]));
}

static void add_state_metric(struct text *text, const struct session_info *infos, size_t count)
{
    add_header(text, "lprofd_sessions", "gauge", "Sessions by state.");
    for (int state = SESSION_ATTACHING; state <= SESSION_LOADED; state++) {
        size_t in_state = 0;
        for (size_t i = 0; i < count; i++)
            in_state += infos[i].state == (enum session_state)state;
        text_printf(text, "lprofd_sessions{state=\"%s\"} %zu\n",
                    session_state_name((enum session_state)state), in_state);
    }
}

/* At most SESSIONS_MAX sessions, oldest first. */
static size_t read_sessions(struct session_registry *registry, struct session_info *infos)
{
    uint32_t ids[SESSIONS_MAX];
    size_t listed = session_registry_list(registry, ids, SESSIONS_MAX);
    size_t count = 0;
    for (size_t i = 0; i < listed && i < SESSIONS_MAX; i++) {
        struct session *session = session_registry_get(registry, ids[i]);
        if (session && !session_info(session, &infos[count]))
            count++;
        session_unref(session);
    }
    return count;
}

int handle_metrics(struct request *request, struct reply *reply)
{
    struct session_info *infos = calloc(SESSIONS_MAX, sizeof *infos);
    if (!infos)
        return -ENOMEM;
    size_t count = read_sessions(request->server->registry, infos);
    struct text text = {0};
    add_daemon_metrics(&text, request->server);
    add_state_metric(&text, infos, count);
    for (size_t i = 0; i < array_length(session_metrics); i++)
        add_session_metric(&text, &session_metrics[i], infos, count);
    for (size_t i = 0; i < count; i++)
        session_info_free(&infos[i]);
    free(infos);
    reply->no_store = true;
    return reply_text(reply, "text/plain; version=0.0.4; charset=utf-8", &text);
}
