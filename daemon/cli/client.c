/* A small HTTP client. */
#include "cli/client.h"

#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cjson/cJSON.h>

#include "base/cleanup.h"

#define TIMEOUT_SECONDS 30
#define ANSWER_MAX_BYTES (UINT64_C(1) << 30)
#define HOST_BYTES 256
#define PORT_BYTES 8

static const char scheme[] = "http://";

/* Where to connect: what stands between "http://" and the first slash. */
struct endpoint {
    char authority[HOST_BYTES]; /* as in the URL: the Host header */
    char host[HOST_BYTES];
    char port[PORT_BYTES];
};

bool client_is_url(const char *argument)
{
    return strncmp(argument, scheme, sizeof scheme - 1) == 0;
}

const char *client_url_rest(const char *url)
{
    const char *host = url + sizeof scheme - 1;
    return host + strcspn(host, "/?#");
}

static int parse_url(const char *url, struct endpoint *endpoint)
{
    if (!client_is_url(url))
        return -EINVAL;
    const char *start = url + sizeof scheme - 1;
    size_t length = (size_t)(client_url_rest(url) - start);
    if (!length || length >= HOST_BYTES || memchr(start, '@', length) ||
        strpbrk(start, "\r\n\t ") != NULL)
        return -EINVAL;
    snprintf(endpoint->authority, HOST_BYTES, "%.*s", (int)length, start);
    snprintf(endpoint->host, HOST_BYTES, "%s", endpoint->authority);
    snprintf(endpoint->port, PORT_BYTES, "80");
    char *bracket = *endpoint->host == '[' ? strchr(endpoint->host, ']') : NULL;
    if (*endpoint->host == '[' && !bracket)
        return -EINVAL;
    char *colon = strchr(bracket ? bracket : endpoint->host, ':');
    if (colon) {
        if (strlen(colon + 1) >= PORT_BYTES)
            return -EINVAL;
        snprintf(endpoint->port, PORT_BYTES, "%s", colon + 1);
        *colon = '\0';
    }
    if (bracket) {
        *bracket = '\0';
        memmove(endpoint->host, endpoint->host + 1, strlen(endpoint->host));
    }
    return 0;
}

static int connect_one(const struct addrinfo *address, int *ret_fd)
{
    static const struct timeval timeout = {.tv_sec = TIMEOUT_SECONDS};
    _cleanup_close_ int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    if (connect(fd, address->ai_addr, address->ai_addrlen))
        return -errno;
    *ret_fd = take_fd(&fd);
    return 0;
}

static int connect_to(const struct endpoint *endpoint, int *ret_fd)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    if (getaddrinfo(endpoint->host, endpoint->port, &hints, &addresses))
        return -EHOSTUNREACH;
    int error = -EHOSTUNREACH;
    for (const struct addrinfo *address = addresses; address && error; address = address->ai_next)
        error = connect_one(address, ret_fd);
    freeaddrinfo(addresses);
    return error;
}

static int send_all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t count = send(fd, bytes, length, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        bytes += count;
        length -= (size_t)count;
    }
    return 0;
}

/* HTTP/1.0, so that the answer is not chunked and ends with the connection. */
static int send_request(int fd, const struct endpoint *endpoint, const char *path,
                        const char *token)
{
    _cleanup_text_ struct text request = {0};
    text_printf(&request, "GET %s HTTP/1.0\r\nHost: %s\r\n", path, endpoint->authority);
    if (token)
        text_printf(&request, "Authorization: Bearer %s\r\n", token);
    text_add_string(&request, "Connection: close\r\n\r\n");
    return request.failed ? -ENOMEM : send_all(fd, request.bytes, request.length);
}

static int receive_all(int fd, struct text *answer)
{
    char piece[65536];
    for (;;) {
        ssize_t count = recv(fd, piece, sizeof piece, 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        if (!count)
            return answer->failed ? -ENOMEM : 0;
        if (answer->length + (size_t)count > ANSWER_MAX_BYTES)
            return -EFBIG;
        text_add(answer, piece, (size_t)count);
    }
}

/* The value of Content-Length among the headers, or -1. */
static long long find_length(const char *headers)
{
    static const char name[] = "\r\nContent-Length:";
    const char *found = strcasestr(headers, name);
    return found ? strtoll(found + sizeof name - 1, NULL, 10) : -1;
}

/* Splits the answer. -EIO when it is not HTTP or was cut off. */
static int parse_answer(struct text *answer, unsigned *ret_status, const char **ret_body,
                        size_t *ret_bytes)
{
    char *end = answer->bytes ? memmem(answer->bytes, answer->length, "\r\n\r\n", 4) : NULL;
    unsigned status;
    if (!end || sscanf(answer->bytes, "HTTP/1.%*1[01] %3u ", &status) != 1)
        return -EIO;
    *end = '\0';
    const char *body = end + 4;
    size_t bytes = answer->length - (size_t)(body - answer->bytes);
    long long length = find_length(answer->bytes);
    if (length >= 0 && (size_t)length != bytes)
        return -EIO;
    *ret_status = status;
    *ret_body = body;
    *ret_bytes = bytes;
    return 0;
}

static int refuse_token(const char *url, const char *token, struct failure *ret_failure)
{
    return failure_set(ret_failure, -EACCES,
                       token ? "%s wants another token than the one of --token-file"
                             : "%s wants a token: give the file that has it with --token-file FILE",
                       url);
}

static int refuse(const char *url, unsigned status, const char *body, size_t bytes,
                  struct failure *ret_failure)
{
    cJSON *problem = cJSON_ParseWithLength(body, bytes);
    const cJSON *detail = cJSON_GetObjectItemCaseSensitive(problem, "detail");
    int error = status == 404 ? -ENOENT : status == 401 || status == 403 ? -EACCES : -EIO;
    failure_set(ret_failure, error, "%s answers %u: %s", url, status,
                cJSON_IsString(detail) ? detail->valuestring : "no reason given");
    cJSON_Delete(problem);
    return error;
}

int client_get(const char *url, const char *path, const char *token, struct text *to,
               struct failure *ret_failure)
{
    struct endpoint endpoint;
    _cleanup_close_ int fd = -1;
    _cleanup_text_ struct text answer = {0};
    if (parse_url(url, &endpoint))
        return failure_set(ret_failure, -EINVAL,
                           "'%s' is not the URL of an lprofd, as http://localhost:8080 is", url);
    int error = connect_to(&endpoint, &fd);
    if (error)
        return failure_set(ret_failure, error, "cannot connect to %s: %s; is lprofd running there?",
                           url, strerror(-error));
    error = send_request(fd, &endpoint, path, token);
    if (!error)
        error = receive_all(fd, &answer);
    unsigned status;
    const char *body;
    size_t bytes;
    if (!error)
        error = parse_answer(&answer, &status, &body, &bytes);
    if (error)
        return failure_set(ret_failure, error, "no usable answer from %s: %s", url,
                           strerror(-error));
    if (status == 401)
        return refuse_token(url, token, ret_failure);
    if (status != 200)
        return refuse(url, status, body, bytes, ret_failure);
    text_add(to, body, bytes);
    return to->failed ? -ENOMEM : 0;
}
