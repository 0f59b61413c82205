/* Listening sockets: from "ADDR[:PORT]" to bound sockets, and what is wrong when there are none. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/failure.h"

#define LISTEN_MAX 8
#define LISTEN_PORT_DEFAULT 8080
#define LISTEN_NAME_BYTES 64

struct listener {
    int fd; /* owned until the server takes it; -1 */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    char name[LISTEN_NAME_BYTES]; /* "127.0.0.1:8080", "[::1]:8080" */
    bool is_loopback, is_wildcard;
    bool optional; /* IPv6 of localhost: fine when the machine has none */
};

struct listeners {
    struct listener items[LISTEN_MAX];
    size_t count;
    uint16_t port; /* of the first */
    bool all_loopback;
    bool has_localhost; /* http://localhost reaches it */
};

/*
 * Opens what `texts` name ("localhost" when there are none). With port 0 one port is picked that is
 * free on all addresses of the text. Nothing but loopback unless `any_address`. -EINVAL, -EPERM,
 * -EADDRINUSE, -EACCES and others, with *ret_failure.
 */
int listeners_open(const char *const *texts, size_t count, bool any_address,
                   struct listeners *ret_listeners, struct failure *ret_failure);
void listeners_close(struct listeners *listeners);
