/* The HTTP server: REST, Server-Sent Events, metrics and the page, for the sessions of a registry.
 */
#pragma once

#include <stddef.h>

#include "base/failure.h"
#include "lprofd/session.h"

struct http_server;

/* Everything is borrowed during http_server_start() and copied, but the registry must outlive. */
struct http_options {
    /*
     * "ADDR[:PORT]": IPv4, [IPv6] or localhost; port 0 picks one; 8080 when there is none. None at
     * all stands for localhost:8080, which is 127.0.0.1 and, where there is IPv6, [::1].
     */
    const char *const *listen;
    size_t listen_count;
    /* Every request must carry it (RFC 6750); NULL: none, and then only loopback is served. */
    const char *token;
    struct session_registry *registry;
    /* What POST /sessions leaves out; pid and command are ignored. */
    struct session_options session_defaults;
};

/*
 * Listens and serves until http_server_stop(). -EADDRINUSE, -EACCES, -EINVAL (an address or token
 * that cannot be used), -EPERM (not loopback and no token) with *ret_failure, or -ENOMEM.
 */
int http_server_start(const struct http_options *options, struct http_server **ret_server,
                      struct failure *ret_failure);

/* "http://localhost:8080/": where a browser on this machine finds it. Owned by the server. */
const char *http_server_url(const struct http_server *server);

/* Ends all streams and requests, closes the sockets, frees. NULL is harmless. */
void http_server_stop(struct http_server *server);
