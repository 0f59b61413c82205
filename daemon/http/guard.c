/* The guard: which requests are served at all. */
#include "http/guard.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

#define HTTP_PORT 80

static void add_host(struct guard *guard, const char *host)
{
    if (guard->host_count == GUARD_HOSTS_MAX)
        return;
    snprintf(guard->hosts[guard->host_count++], GUARD_HOST_BYTES, "%s", host);
    /* Browsers leave out the scheme's own port. */
    size_t bare = strlen(host) - 3;
    if (guard->port == HTTP_PORT && guard->host_count < GUARD_HOSTS_MAX)
        snprintf(guard->hosts[guard->host_count++], GUARD_HOST_BYTES, "%.*s", (int)bare, host);
}

static bool token_is_sound(const char *token)
{
    size_t length = strlen(token);
    if (length < GUARD_TOKEN_MIN_BYTES || length > GUARD_TOKEN_MAX_BYTES)
        return false;
    for (const char *cursor = token; *cursor; cursor++)
        if (!isalnum((unsigned char)*cursor) && !strchr("-._~+/=", *cursor))
            return false;
    return true;
}

int guard_init(struct guard *guard, const struct listeners *listeners, const char *token,
               struct failure *ret_failure)
{
    *guard = (struct guard){.port = listeners->port};
    if (token && !token_is_sound(token))
        return failure_set(ret_failure, -EINVAL,
                           "the token must be 16 to 512 characters of A-Z a-z 0-9 - . _ ~ + / =; "
                           "make one with: head -c 32 /dev/urandom | base64 -w0");
    if (token && !(guard->token = strdup(token)))
        return -ENOMEM;
    /* Cookies do not know ports: two daemons on one host must not share one. */
    snprintf(guard->cookie, sizeof guard->cookie, "lprofd_token_%u", guard->port);
    static const char *const own_names[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; i < array_length(own_names); i++) {
        char host[GUARD_HOST_BYTES];
        snprintf(host, sizeof host, "%s:%u", own_names[i], guard->port);
        add_host(guard, host);
    }
    for (size_t i = 0; i < listeners->count; i++) {
        add_host(guard, listeners->items[i].name);
        guard->has_wildcard |= listeners->items[i].is_wildcard;
    }
    return 0;
}

void guard_free(struct guard *guard)
{
    if (guard->token)
        explicit_bzero(guard->token, strlen(guard->token));
    free(guard->token);
    guard->token = NULL;
}

bool guard_token_matches(const struct guard *guard, const char *token)
{
    if (!guard->token || !token)
        return false;
    size_t length = strlen(guard->token);
    size_t given = strlen(token);
    unsigned char difference = given != length;
    for (size_t i = 0; i < given; i++)
        difference |= (unsigned char)(token[i] ^ guard->token[i % length]);
    return !difference;
}

/* The address that this connection came in by, as Host would say it. */
static bool is_own_address(const struct guard *guard, const struct request *request,
                           const char *host)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    socklen_t bytes = sizeof address;
    if (!info || getsockname(info->connect_fd, &address.any, &bytes))
        return false;
    char ip[INET6_ADDRSTRLEN];
    bool v4 = address.any.sa_family == AF_INET;
    if (!inet_ntop(address.any.sa_family,
                   v4 ? (void *)&address.v4.sin_addr : (void *)&address.v6.sin6_addr, ip,
                   sizeof ip))
        return false;
    char own[GUARD_HOST_BYTES];
    int length = snprintf(own, sizeof own, v4 ? "%s:%u" : "[%s]:%u", ip, guard->port);
    if (!strcasecmp(own, host))
        return true;
    own[length - 3 > 0 ? length - 3 : 0] = '\0';
    return guard->port == HTTP_PORT && !strcasecmp(own, host);
}

static bool host_is_ours(const struct guard *guard, const struct request *request, const char *host)
{
    for (size_t i = 0; i < guard->host_count; i++)
        if (!strcasecmp(guard->hosts[i], host))
            return true;
    return guard->has_wildcard && is_own_address(guard, request, host);
}

static enum MHD_Result count_host(void *count, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    (void)value;
    *(size_t *)count += !strcasecmp(name, MHD_HTTP_HEADER_HOST);
    return MHD_YES;
}

static bool check_host(const struct guard *guard, const struct request *request,
                       struct reply *reply)
{
    size_t count = 0;
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, count_host, &count);
    const char *host = request_header(request, MHD_HTTP_HEADER_HOST);
    if (count == 1 && host && host_is_ours(guard, request, host))
        return true;
    if (count != 1 || !host)
        reply_problem(reply, MHD_HTTP_BAD_REQUEST, "No Host",
                      "The request must have exactly one Host header.");
    else
        reply_problem(reply, MHD_HTTP_MISDIRECTED_REQUEST, "Unknown Host",
                      "lprofd does not answer for the Host '%.100s'; use http://%s.", host,
                      guard->hosts[0]);
    return false;
}

static bool check_token(const struct guard *guard, const struct request *request,
                        struct reply *reply)
{
    static const char scheme[] = "Bearer ";
    if (!guard->token)
        return true;
    const char *given = request_header(request, MHD_HTTP_HEADER_AUTHORIZATION);
    if (given && !strncasecmp(given, scheme, sizeof scheme - 1) &&
        guard_token_matches(guard, given + sizeof scheme - 1))
        return true;
    const char *cookie =
        MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, guard->cookie);
    if (guard_token_matches(guard, cookie))
        return true;
    reply_problem(reply, MHD_HTTP_UNAUTHORIZED, NULL,
                  "This lprofd wants a token: send 'Authorization: Bearer TOKEN', or open "
                  "/?token=TOKEN once in a browser.");
    reply_add_header(reply, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"lprofd\"");
    return false;
}

static bool refuse_cross_site(struct reply *reply, const char *header, const char *value)
{
    reply_problem(reply, MHD_HTTP_FORBIDDEN, "Cross-site request",
                  "%s is '%.100s': only lprofd's own page may change anything.", header, value);
    return false;
}

static bool check_same_origin(const struct guard *guard, const struct request *request,
                              struct reply *reply)
{
    static const char scheme[] = "http://";
    const char *origin = request_header(request, MHD_HTTP_HEADER_ORIGIN);
    if (origin && (strncasecmp(origin, scheme, sizeof scheme - 1) ||
                   !host_is_ours(guard, request, origin + sizeof scheme - 1)))
        return refuse_cross_site(reply, "Origin", origin);
    const char *site = request_header(request, "Sec-Fetch-Site");
    if (site && strcasecmp(site, "same-origin") && strcasecmp(site, "none"))
        return refuse_cross_site(reply, "Sec-Fetch-Site", site);
    return true;
}

static bool check_content_type(const struct request *request, struct reply *reply)
{
    static const char json[] = "application/json";
    const char *type = request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (type && !strncasecmp(type, json, sizeof json - 1) &&
        strchr("; \t", type[sizeof json - 1])) /* also finds the terminating NUL */
        return true;
    reply_problem(reply, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, NULL,
                  "The body must be sent with 'Content-Type: application/json'.");
    return false;
}

bool guard_admit(const struct guard *guard, const struct request *request, struct reply *reply)
{
    if (!check_host(guard, request, reply))
        return false;
    /* The page may bring the token in its query instead; its handler checks that one. */
    bool brings_token = request->method == METHOD_GET && !strncmp(request->target, "/?token=", 8);
    if (!brings_token && !check_token(guard, request, reply))
        return false;
    if (request->method == METHOD_GET)
        return true;
    if (!check_same_origin(guard, request, reply))
        return false;
    bool has_body = request->method == METHOD_POST || request->method == METHOD_PATCH;
    return !has_body || check_content_type(request, reply);
}
