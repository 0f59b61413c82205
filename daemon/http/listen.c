/* Listening sockets. */
#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define BACKLOG 512
#define PICK_TRIES 32

static socklen_t address_bytes(const struct listener *listener)
{
    return listener->address.any.sa_family == AF_INET ? sizeof listener->address.v4
                                                      : sizeof listener->address.v6;
}

static void set_port(struct listener *listener, uint16_t port)
{
    if (listener->address.any.sa_family == AF_INET)
        listener->address.v4.sin_port = htons(port);
    else
        listener->address.v6.sin6_port = htons(port);
}

static uint16_t get_port(const struct listener *listener)
{
    return ntohs(listener->address.any.sa_family == AF_INET ? listener->address.v4.sin_port
                                                            : listener->address.v6.sin6_port);
}

static void name_listener(struct listener *listener)
{
    char host[INET6_ADDRSTRLEN];
    bool v4 = listener->address.any.sa_family == AF_INET;
    inet_ntop(v4 ? AF_INET : AF_INET6,
              v4 ? (void *)&listener->address.v4.sin_addr : (void *)&listener->address.v6.sin6_addr,
              host, sizeof host);
    snprintf(listener->name, sizeof listener->name, v4 ? "%s:%u" : "[%s]:%u", host,
             get_port(listener));
}

/* Adds the address `host`; false when it is not a numeric one. */
static bool add_address(struct listeners *listeners, const char *host, uint16_t port)
{
    struct listener listener = {.fd = -1};
    if (inet_pton(AF_INET, host, &listener.address.v4.sin_addr) == 1) {
        uint32_t address = ntohl(listener.address.v4.sin_addr.s_addr);
        listener.address.v4.sin_family = AF_INET;
        listener.is_loopback = address >> 24 == 127;
        listener.is_wildcard = address == INADDR_ANY;
    } else if (inet_pton(AF_INET6, host, &listener.address.v6.sin6_addr) == 1) {
        listener.address.v6.sin6_family = AF_INET6;
        listener.is_loopback = IN6_IS_ADDR_LOOPBACK(&listener.address.v6.sin6_addr);
        listener.is_wildcard = IN6_IS_ADDR_UNSPECIFIED(&listener.address.v6.sin6_addr);
    } else {
        return false;
    }
    set_port(&listener, port);
    name_listener(&listener);
    listeners->items[listeners->count++] = listener;
    return true;
}

static bool parse_port(const char *text, uint16_t *ret_port)
{
    if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 5)
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    *ret_port = (uint16_t)port;
    return port <= UINT16_MAX;
}

/* Splits "[::1]:80", "1.2.3.4:80", "::1", "localhost" into host and port. */
static bool split(const char *text, char host[static LISTEN_NAME_BYTES], uint16_t *ret_port)
{
    const char *start = text;
    const char *end;
    const char *port = NULL;
    if (*text == '[') {
        start = text + 1;
        end = strchr(start, ']');
        if (!end || (end[1] && end[1] != ':'))
            return false;
        port = end[1] ? end + 2 : NULL;
    } else {
        const char *colon = strchr(text, ':');
        bool bare_v6 = colon && strchr(colon + 1, ':');
        end = colon && !bare_v6 ? colon : text + strlen(text);
        port = *end ? end + 1 : NULL;
    }
    size_t length = (size_t)(end - start);
    if (!length || length >= LISTEN_NAME_BYTES)
        return false;
    memcpy(host, start, length);
    host[length] = '\0';
    *ret_port = LISTEN_PORT_DEFAULT;
    return !port || parse_port(port, ret_port);
}

static int add_text(struct listeners *listeners, const char *text, struct failure *ret_failure)
{
    char host[LISTEN_NAME_BYTES];
    uint16_t port;
    if (!split(text, host, &port))
        return failure_set(ret_failure, -EINVAL,
                           "cannot listen on '%s': not ADDR[:PORT]; for example 127.0.0.1:8080, "
                           "[::1]:8080 or localhost:0",
                           text);
    if (listeners->count + 2 > LISTEN_MAX)
        return failure_set(ret_failure, -EINVAL, "cannot listen on '%s': too many addresses", text);
    if (!strcmp(host, "localhost")) {
        add_address(listeners, "127.0.0.1", port);
        add_address(listeners, "::1", port);
        listeners->items[listeners->count - 1].optional = true;
        listeners->has_localhost = true;
        return 0;
    }
    if (!add_address(listeners, host, port))
        return failure_set(ret_failure, -EINVAL,
                           "cannot listen on '%s': '%s' is not an IP address or localhost", text,
                           host);
    return 0;
}

static int open_socket(struct listener *listener)
{
    static const int on = 1;
    int family = listener->address.any.sa_family;
    _cleanup_close_ int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, &listener->address.any, address_bytes(listener)) || listen(fd, BACKLOG))
        return -errno;
    socklen_t bytes = sizeof listener->address;
    if (getsockname(fd, &listener->address.any, &bytes))
        return -errno;
    name_listener(listener);
    listener->fd = take_fd(&fd);
    return 0;
}

static bool lacks_ipv6(const struct listener *listener, int error)
{
    return listener->optional && (error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL ||
                                  error == -EPROTONOSUPPORT || error == -EINVAL);
}

static int describe_error(const struct listener *listener, int error, struct failure *ret_failure)
{
    if (error == -EADDRINUSE)
        return failure_set(ret_failure, error,
                           "cannot listen on %s: another program does; stop it, or let lprofd pick "
                           "a free port with --listen 127.0.0.1:0",
                           listener->name);
    if (error == -EACCES)
        return failure_set(ret_failure, error,
                           "cannot listen on %s: ports below 1024 need root; use --listen "
                           "127.0.0.1:8080",
                           listener->name);
    return failure_set(ret_failure, error,
                       "cannot listen on %s: %s; choose another address with --listen",
                       listener->name, strerror(-error));
}

/* Opens all; an optional one that cannot be there is dropped. *ret_at is the one that failed. */
static int open_all(struct listeners *listeners, size_t *ret_at)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = &listeners->items[i];
        /* localhost:0 is one port on both addresses */
        if (listener->optional && !get_port(listener))
            set_port(listener, get_port(listener - 1));
        int error = open_socket(listener);
        if (error && lacks_ipv6(listener, error)) {
            memmove(listener, listener + 1, (listeners->count - i - 1) * sizeof *listener);
            listeners->count--;
            i--;
        } else if (error) {
            *ret_at = i;
            return error;
        }
    }
    return 0;
}

static int check_loopback(struct listeners *listeners, bool any_address,
                          struct failure *ret_failure)
{
    listeners->all_loopback = true;
    for (size_t i = 0; i < listeners->count; i++) {
        const struct listener *listener = &listeners->items[i];
        listeners->all_loopback &= listener->is_loopback;
        if (!listener->is_loopback && !any_address)
            return failure_set(ret_failure, -EPERM,
                               "refusing to listen on %s without a token: whoever reaches it could "
                               "profile any process; give --token-file FILE",
                               listener->name);
    }
    return 0;
}

int listeners_open(const char *const *texts, size_t count, bool any_address,
                   struct listeners *ret_listeners, struct failure *ret_failure)
{
    static const char *const default_text = "localhost";
    struct listeners wanted = {0};
    for (size_t i = 0; i < (count ? count : 1); i++) {
        int error = add_text(&wanted, count ? texts[i] : default_text, ret_failure);
        if (error)
            return error;
    }
    int error = check_loopback(&wanted, any_address, ret_failure);
    if (error)
        return error;
    /* A port that was picked for IPv4 may be taken on IPv6: pick again. */
    for (int try = 0; try < PICK_TRIES; try++) {
        struct listeners opened = wanted;
        size_t at = 0;
        error = open_all(&opened, &at);
        if (!error) {
            opened.port = get_port(&opened.items[0]);
            *ret_listeners = opened;
            return 0;
        }
        describe_error(&opened.items[at], error, ret_failure);
        listeners_close(&opened);
        if (error != -EADDRINUSE || get_port(&wanted.items[at]))
            break;
    }
    return error;
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        if (listeners->items[i].fd >= 0)
            close(take_fd(&listeners->items[i].fd));
}
