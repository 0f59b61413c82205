/* A small client for the server's tests: sends raw bytes, reads a whole answer. */
#pragma once

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/text.h"

struct answer {
    unsigned status;
    struct text raw;
    const char *headers; /* NUL-terminated, borrowed from raw */
    const char *body;    /* borrowed; HTTP/1.0, so it is not chunked */
    size_t body_bytes;
};

static inline int client_connect(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval timeout = {.tv_sec = 60};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline void client_send(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t count = send(fd, bytes, length, MSG_NOSIGNAL);
        if (count <= 0)
            return;
        bytes += count;
        length -= (size_t)count;
    }
}

static inline void answer_parse(struct answer *answer)
{
    char *end =
        answer->raw.bytes ? memmem(answer->raw.bytes, answer->raw.length, "\r\n\r\n", 4) : NULL;
    if (!end || sscanf(answer->raw.bytes, "HTTP/1.%*d %u", &answer->status) != 1)
        return;
    *end = '\0';
    answer->headers = answer->raw.bytes;
    answer->body = end + 4;
    answer->body_bytes = answer->raw.length - (size_t)(answer->body - answer->raw.bytes);
}

/* Sends the bytes and reads until the server closes. */
static inline struct answer client_raw(unsigned port, const char *bytes, size_t length)
{
    struct answer answer = {0};
    int fd = client_connect(port);
    if (fd < 0)
        return answer;
    client_send(fd, bytes, length);
    char piece[65536];
    ssize_t count;
    while ((count = recv(fd, piece, sizeof piece, 0)) > 0)
        text_add(&answer.raw, piece, (size_t)count);
    close(fd);
    answer_parse(&answer);
    return answer;
}

/* One request with more header lines ("A: b\r\n") and a body; both may be "". */
static inline struct answer client_request(unsigned port, const char *method, const char *target,
                                           const char *headers, const char *body)
{
    struct text request = {0};
    text_printf(&request, "%s %s HTTP/1.0\r\nHost: 127.0.0.1:%u\r\n%s", method, target, port,
                headers);
    if (*body)
        text_printf(&request, "Content-Length: %zu\r\n", strlen(body));
    text_printf(&request, "\r\n%s", body);
    struct answer answer = client_raw(port, request.bytes, request.length);
    text_free(&request);
    return answer;
}

static inline struct answer client_get(unsigned port, const char *target)
{
    return client_request(port, "GET", target, "", "");
}

static inline void answer_free(struct answer *answer)
{
    text_free(&answer->raw);
}

static inline cJSON *answer_json(const struct answer *answer)
{
    return answer->body ? cJSON_ParseWithLength(answer->body, answer->body_bytes) : NULL;
}

static inline bool answer_has(const struct answer *answer, const char *header_line)
{
    return answer->headers && strcasestr(answer->headers, header_line);
}

/* The header's value, copied to `value`; "" when there is none. */
static inline void answer_header(const struct answer *answer, const char *name, size_t bytes,
                                 char *value)
{
    *value = '\0';
    const char *found = answer->headers ? strcasestr(answer->headers, name) : NULL;
    if (found)
        snprintf(value, bytes, "%.*s", (int)strcspn(found + strlen(name) + 2, "\r\n"),
                 found + strlen(name) + 2);
}
