/* The HTTP server: starting and stopping it. */
#include "http/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "http/dispatch.h"
#include "http/server_state.h"

#define CONNECTION_THREADS 2
#define ANSWERERS 4
#define CHANGERS 2
#define CONNECTIONS_MAX 2048
#define CONNECTIONS_MIN 64
#define CONNECTIONS_PER_IP 128u /* not on loopback, where everybody has the same address */
/* More than the limits of a request, so that it is us who refuse it; touched only when needed. */
#define CONNECTION_MEMORY_BYTES 131072
#define IDLE_TIMEOUT_SECONDS 30
#define CACHE_BYTES (32u << 20)

static void ignore_log(void *user, const char *format, va_list arguments)
{
    (void)user;
    (void)format;
    (void)arguments;
}

static void free_source_paths(struct session_options *options)
{
    struct source_path *paths = (struct source_path *)(uintptr_t)options->source_paths;
    for (size_t i = 0; paths && i < options->source_path_count; i++) {
        free(paths[i].old_prefix);
        free(paths[i].new_prefix);
    }
    free(paths);
}

static int copy_source_paths(const struct session_options *from, struct session_options *to)
{
    struct source_path *paths = calloc(from->source_path_count + 1, sizeof *paths);
    to->source_paths = paths;
    to->source_path_count = 0;
    if (!paths)
        return -ENOMEM;
    for (size_t i = 0; i < from->source_path_count; i++) {
        to->source_path_count = i + 1;
        paths[i].old_prefix = strdup(from->source_paths[i].old_prefix);
        paths[i].new_prefix = strdup(from->source_paths[i].new_prefix);
        if (!paths[i].old_prefix || !paths[i].new_prefix)
            return -ENOMEM;
    }
    return 0;
}

static int copy_defaults(const struct session_options *from, struct session_options *to)
{
    *to = *from;
    to->pid = 0;
    to->command = NULL;
    to->event = to->backend = to->symbol_cache = NULL;
    to->source_paths = NULL;
    to->source_path_count = 0;
    char *event = from->event ? strdup(from->event) : NULL;
    char *backend = from->backend ? strdup(from->backend) : NULL;
    char *symbol_cache = from->symbol_cache ? strdup(from->symbol_cache) : NULL;
    to->event = event;
    to->backend = backend;
    to->symbol_cache = symbol_cache;
    if ((from->event && !event) || (from->backend && !backend) ||
        (from->symbol_cache && !symbol_cache))
        return -ENOMEM;
    return copy_source_paths(from, to);
}

static void free_defaults(struct session_options *defaults)
{
    free_source_paths(defaults);
    free((void *)(uintptr_t)defaults->event);
    free((void *)(uintptr_t)defaults->backend);
    free((void *)(uintptr_t)defaults->symbol_cache);
}

/* Each connection needs a descriptor: of all that there may be, sessions keep half. */
static unsigned descriptor_budget(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > 2 * CONNECTIONS_MAX)
        return CONNECTIONS_MAX;
    return limit.rlim_cur > CONNECTIONS_MIN ? (unsigned)limit.rlim_cur / 2 : CONNECTIONS_MIN / 2;
}

/*
 * What each daemon takes at most. Those beyond three quarters of that are answered, too: with a
 * refusal. What goes beyond everything waits unanswered until somebody leaves.
 */
static unsigned accept_limit(const struct http_server *server)
{
    return descriptor_budget() / (unsigned)server->listeners.count;
}

static int start_daemon(struct http_server *server, size_t at)
{
    struct listener *listener = &server->listeners.items[at];
    bool local = server->listeners.all_loopback;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    if (listener->address.any.sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    server->daemons[at] =
        MHD_start_daemon(flags, 0, NULL, NULL, dispatch_request, server,                        /**/
                         MHD_OPTION_LISTEN_SOCKET, (MHD_socket)listener->fd,                    /**/
                         MHD_OPTION_THREAD_POOL_SIZE, (unsigned)CONNECTION_THREADS,             /**/
                         MHD_OPTION_CONNECTION_LIMIT, accept_limit(server),                     /**/
                         MHD_OPTION_PER_IP_CONNECTION_LIMIT, local ? 0 : CONNECTIONS_PER_IP,    /**/
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,   /**/
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_SECONDS,         /**/
                         MHD_OPTION_NOTIFY_CONNECTION, connections_notify, server->connections, /**/
                         MHD_OPTION_URI_LOG_CALLBACK, dispatch_begin, server,                   /**/
                         MHD_OPTION_NOTIFY_COMPLETED, dispatch_end, server,                     /**/
                         MHD_OPTION_UNESCAPE_CALLBACK, dispatch_keep_escaped, server,           /**/
                         MHD_OPTION_EXTERNAL_LOGGER, ignore_log, NULL,                          /**/
                         MHD_OPTION_END);
    if (!server->daemons[at])
        return errno ? -errno : -EIO;
    listener->fd = -1; /* the daemon's now */
    return 0;
}

static int start_daemons(struct http_server *server, struct failure *ret_failure)
{
    for (size_t i = 0; i < server->listeners.count; i++) {
        errno = 0;
        int error = start_daemon(server, i);
        if (error)
            return failure_set(ret_failure, error, "cannot serve on %s: %s",
                               server->listeners.items[i].name, strerror(-error));
    }
    return 0;
}

static void name_url(struct http_server *server)
{
    const struct listener *first = &server->listeners.items[0];
    if (server->listeners.has_localhost || first->is_wildcard)
        snprintf(server->url, sizeof server->url, "http://localhost:%u/", server->listeners.port);
    else
        snprintf(server->url, sizeof server->url, "http://%s/", first->name);
}

static int server_init(struct http_server *server, const struct http_options *options,
                       struct failure *ret_failure)
{
    int error = copy_defaults(&options->session_defaults, &server->defaults);
    if (!error)
        error = cache_new(CACHE_BYTES, &server->cache);
    if (!error)
        error = assets_new(&server->assets);
    if (!error)
        error = event_hub_new(server->registry, &server->hub);
    if (!error)
        error = workers_new(ANSWERERS, dispatch_answer, &server->answerers);
    if (!error)
        error = workers_new(CHANGERS, dispatch_answer, &server->changers);
    if (!error)
        error = workers_new(1, dispatch_answer, &server->attacher);
    if (error)
        return failure_set(ret_failure, error, "cannot start the HTTP server: %s",
                           strerror(-error));
    error = listeners_open(options->listen, options->listen_count, options->token != NULL,
                           &server->listeners, ret_failure);
    if (!error)
        error = guard_init(&server->guard, &server->listeners, options->token, ret_failure);
    if (error)
        return error;
    error = connections_new(accept_limit(server) / 4 * 3, &server->connections);
    if (error)
        return failure_set(ret_failure, error, "cannot start the HTTP server: %s",
                           strerror(-error));
    return start_daemons(server, ret_failure);
}

int http_server_start(const struct http_options *options, struct http_server **ret_server,
                      struct failure *ret_failure)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (!server)
        return failure_set(ret_failure, -ENOMEM, "cannot start the HTTP server: no memory");
    server->registry = options->registry;
    server->started_ns = clock_monotonic_ns();
    meter_init(&server->meter);
    health_init(&server->health);
    int error = server_init(server, options, ret_failure);
    if (error) {
        http_server_stop(server);
        return error;
    }
    name_url(server);
    *ret_server = server;
    return 0;
}

const char *http_server_url(const struct http_server *server)
{
    return server->url;
}

void http_server_stop(struct http_server *server)
{
    if (!server)
        return;
    atomic_store(&server->stopping, true);
    /* libmicrohttpd must not be stopped while a connection is suspended. */
    event_hub_stop(server->hub);
    workers_stop(server->attacher);
    workers_stop(server->changers);
    workers_stop(server->answerers);
    for (size_t i = 0; i < LISTEN_MAX; i++)
        if (server->daemons[i])
            MHD_stop_daemon(server->daemons[i]);
    workers_free(server->attacher);
    workers_free(server->changers);
    workers_free(server->answerers);
    connections_free(server->connections);
    listeners_close(&server->listeners);
    event_hub_free(server->hub);
    assets_free(server->assets);
    cache_free(server->cache);
    guard_free(&server->guard);
    health_free(&server->health);
    meter_free(&server->meter);
    free_defaults(&server->defaults);
    free(server);
}
