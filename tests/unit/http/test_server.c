/* The server over a real socket, with a made-up session behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include <cmocka.h>

#include "http/blob.h"
#include "world.h"

#define JSON "Content-Type: application/json\r\n"
static unsigned ask_as(unsigned port, const char *host)
{
    struct text request = {0};
    text_printf(&request, "GET /healthz HTTP/1.0\r\nHost: %s\r\n\r\n", host);
    struct answer answer = client_raw(port, request.bytes, request.length);
    unsigned status = answer.status;
    answer_free(&answer);
    text_free(&request);
    return status;
}

static void only_known_hosts_are_answered(void **state)
{
    struct world *world = *state;
    static const char *const names[] = {"127.0.0.1", "localhost", "LocalHost", "[::1]"};
    static const char *const strangers[] = {"evil.example", "127.0.0.1", "localhost:1", "[::1]",
                                            ""};
    for (size_t i = 0; i < array_length(names); i++) {
        char host[64];
        snprintf(host, sizeof host, "%s:%u", names[i], world->port);
        assert_int_equal(ask_as(world->port, host), 200);
        snprintf(host, sizeof host, "%s:%u.evil", names[i], world->port);
        assert_int_equal(ask_as(world->port, host), 421);
    }
    for (size_t i = 0; i < array_length(strangers); i++)
        assert_in_range(ask_as(world->port, strangers[i]), 400, 499);
    static const char no_host[] = "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n";
    check_problem(client_raw(world->port, no_host, sizeof no_host - 1), 400, "Host");
    check_problem(client_request(world->port, "GET", "/healthz", "Host: evil.example\r\n", ""), 400,
                  "Host");
}

static void cross_site_changes_are_refused(void **state)
{
    struct world *world = *state;
    static const char *const headers[] = {
        JSON "Origin: http://evil.example\r\n", JSON "Origin: null\r\n",
        JSON "Origin: https://127.0.0.1\r\n", JSON "Sec-Fetch-Site: cross-site\r\n",
        JSON "Sec-Fetch-Site: same-site\r\n"};
    for (size_t i = 0; i < array_length(headers); i++) {
        check_problem(
            client_request(world->port, "POST", "/api/v1/sessions", headers[i], "{\"pid\":77}"),
            403, "own page");
        check_problem(client_request(world->port, "DELETE", "/api/v1/sessions/1", headers[i], ""),
                      403, "own page");
    }
    char own[128];
    snprintf(own, sizeof own, JSON "Origin: http://localhost:%u\r\nSec-Fetch-Site: same-origin\r\n",
             world->port);
    struct answer answer =
        client_request(world->port, "POST", "/api/v1/sessions", own, "{\"pid\":77}");
    assert_int_equal(answer.status, 201);
    answer_free(&answer);
}

static void posts_must_be_json(void **state)
{
    struct world *world = *state;
    static const char *const headers[] = {"", "Content-Type: text/plain\r\n",
                                          "Content-Type: application/jsonx\r\n",
                                          "Content-Type: application/x-www-form-urlencoded\r\n"};
    for (size_t i = 0; i < array_length(headers); i++)
        check_problem(
            client_request(world->port, "POST", "/api/v1/sessions", headers[i], "{\"pid\":77}"),
            415, "application/json");
}

static void paths_and_methods_are_told_apart(void **state)
{
    struct world *world = *state;
    check_problem(client_get(world->port, "/nope"), 404, "/nope");
    check_problem(client_get(world->port, "/api/v1/sessions/1/"), 404, "nothing");
    check_problem(client_get(world->port, "/api/v1/sessions/0"), 404, "nothing");
    check_problem(client_get(world->port, "/api/v1/sessions/99"), 404, "99");
    check_problem(client_get(world->port, "/api/v1/sessions/4294967297"), 404, "nothing");
    check_problem(client_get(world->port, "/assets/../app.js"), 404, "asset");
    check_problem(client_get(world->port, "/%zz"), 400, "escape");
    check_problem(client_get(world->port, "/%00"), 400, "escape");
    struct answer answer = client_request(world->port, "PUT", "/api/v1/sessions", "", "");
    assert_true(answer_has(&answer, "Allow: GET, HEAD, POST\r"));
    check_problem(answer, 405, "only");
    answer = client_request(world->port, "BREW", "/healthz", "", "");
    assert_true(answer_has(&answer, "Allow: GET, HEAD\r"));
    check_problem(answer, 405, "only");
}

static void sizes_are_limited(void **state)
{
    struct world *world = *state;
    struct text long_text = {0};
    for (int i = 0; i < 40000; i++)
        text_add(&long_text, "a", 1);
    struct text target = {0};
    text_printf(&target, "/%s", long_text.bytes);
    check_problem(client_get(world->port, target.bytes), 414, "longer");
    struct text headers = {0};
    text_printf(&headers, "X-A: %s\r\nX-B: %s\r\n", long_text.bytes, long_text.bytes);
    check_problem(client_request(world->port, "GET", "/healthz", headers.bytes, ""), 431, "bytes");
    check_problem(client_request(world->port, "POST", "/api/v1/sessions",
                                 JSON "Content-Length: 65537\r\n", ""),
                  413, "65536");
    text_free(&long_text);
    text_free(&target);
    text_free(&headers);
}

static void a_chunked_body_is_limited_too(void **state)
{
    struct world *world = *state;
    struct text request = {0};
    text_printf(&request,
                "POST /api/v1/sessions HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n" JSON
                "Transfer-Encoding: chunked\r\n\r\n",
                world->port);
    for (int i = 0; i < 20; i++) {
        text_add_string(&request, "1000\r\n");
        for (int j = 0; j < 4096; j++)
            text_add(&request, " ", 1);
        text_add_string(&request, "\r\n");
    }
    text_add_string(&request, "0\r\n\r\n");
    check_problem(client_raw(world->port, request.bytes, request.length), 413, "65536");
    text_free(&request);
}

static void garbage_is_answered_or_dropped(void **state)
{
    struct world *world = *state;
    static const char *const garbage[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01\x01",
        "GET / HTTP/9.9\r\n\r\n",
        "GET http://evil/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"};
    for (size_t i = 0; i < array_length(garbage); i++) {
        int fd = client_connect(world->port);
        client_send(fd, garbage[i], strlen(garbage[i]));
        shutdown(fd, SHUT_WR);
        /* Some of it is an incomplete request that may as well be waited for. */
        struct timeval timeout = {.tv_usec = 200000};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        char piece[4096];
        ssize_t count = recv(fd, piece, sizeof piece - 1, 0);
        piece[count > 0 ? count : 0] = '\0';
        assert_true(!*piece || !strncmp(piece, "HTTP/1.1 4", 10) ||
                    !strncmp(piece, "HTTP/1.1 505", 12));
        close(fd);
    }
    struct answer answer = client_get(world->port, "/healthz");
    assert_int_equal(answer.status, 200);
    answer_free(&answer);
}

static void unchanged_answers_are_not_sent_again(void **state)
{
    struct world *world = *state;
    static const char target[] = "/api/v1/sessions/1/lines?limit=3";
    struct answer first = client_get(world->port, target);
    char tag[128], header[256];
    answer_header(&first, "ETag", sizeof tag, tag);
    assert_int_equal(tag[0], '"');
    snprintf(header, sizeof header, "If-None-Match: \"x\", W/%s\r\n", tag);
    struct answer second = client_request(world->port, "GET", target, header, "");
    assert_int_equal(second.status, 304);
    assert_int_equal(second.body_bytes, 0);
    assert_true(answer_has(&second, tag));
    fake_advance(world->sessions[0], NS_PER_SECOND);
    struct answer third = client_request(world->port, "GET", target, header, "");
    assert_int_equal(third.status, 200);
    answer_free(&first);
    answer_free(&second);
    answer_free(&third);
}

/* The end of fake_source's main is on its line 4; only where the text is that of the lines. */
static void gzip_is_the_same_content(void **state)
{
    struct world *world = *state;
    static const char target[] = "/api/v1/sessions/1/lines?limit=50";
    struct answer plain = client_get(world->port, target);
    struct answer small =
        client_request(world->port, "GET", target, "Accept-Encoding: br, gzip;q=0.5\r\n", "");
    assert_false(answer_has(&plain, "Content-Encoding"));
    assert_true(answer_has(&small, "Content-Encoding: gzip"));
    assert_true(answer_has(&small, "Vary: Accept-Encoding"));
    assert_true(small.body_bytes < plain.body_bytes / 4);
    char plain_tag[64], small_tag[64];
    answer_header(&plain, "ETag", sizeof plain_tag, plain_tag);
    answer_header(&small, "ETag", sizeof small_tag, small_tag);
    assert_string_not_equal(plain_tag, small_tag);
    struct text inflated = {0};
    assert_int_equal(
        blob_inflate((const unsigned char *)small.body, small.body_bytes, 1 << 20, &inflated), 0);
    assert_int_equal(inflated.length, plain.body_bytes);
    assert_memory_equal(inflated.bytes, plain.body, plain.body_bytes);
    text_free(&inflated);
    answer_free(&plain);
    answer_free(&small);
    struct answer refused =
        client_request(world->port, "GET", target, "Accept-Encoding: gzip;Q=0, *\r\n", "");
    assert_false(answer_has(&refused, "Content-Encoding"));
    answer_free(&refused);
}

static void head_has_the_headers_of_get(void **state)
{
    struct world *world = *state;
    static const char *const targets[] = {"/", "/api/v1/status", "/api/v1/sessions/1/files/1/text",
                                          "/metrics", "/api/v1/sessions/1/events"};
    for (size_t i = 0; i < array_length(targets); i++) {
        struct answer head = client_request(world->port, "HEAD", targets[i], "", "");
        assert_int_equal(head.status, 200);
        assert_int_equal(head.body_bytes, 0);
        assert_true(answer_has(&head, "Content-Type: "));
        assert_true(answer_has(&head, "X-Content-Type-Options: nosniff"));
        answer_free(&head);
    }
}

static void a_token_is_wanted_from_everybody(void **state)
{
    struct world *world = *state;
    static const char token[] = "0123456789abcdefXYZ";
    http_server_stop(world->server);
    world->server = world_serve(world, "127.0.0.1:0", token);
    static const char *const targets[] = {"/", "/healthz", "/metrics", "/api/v1/status", "/nope"};
    for (size_t i = 0; i < array_length(targets); i++) {
        struct answer answer = client_get(world->port, targets[i]);
        assert_true(answer_has(&answer, "WWW-Authenticate: Bearer"));
        check_problem(answer, 401, "token");
    }
    check_problem(client_request(world->port, "GET", "/healthz",
                                 "Authorization: Bearer 0123456789abcdefXY\r\n", ""),
                  401, "token");
    check_problem(client_get(world->port, "/?token=wrong"), 401, "token");
    struct answer answer = client_request(world->port, "GET", "/healthz",
                                          "Authorization: Bearer 0123456789abcdefXYZ\r\n", "");
    assert_int_equal(answer.status, 200);
    answer_free(&answer);
    answer = client_get(world->port, "/?token=0123456789abcdefXYZ");
    assert_int_equal(answer.status, 303);
    assert_true(answer_has(&answer, "Location: /\r"));
    assert_true(answer_has(&answer, "HttpOnly; SameSite=Strict"));
    char cookie[160], header[192];
    answer_header(&answer, "Set-Cookie", sizeof cookie, cookie);
    cookie[strcspn(cookie, ";")] = '\0';
    answer_free(&answer);
    snprintf(header, sizeof header, "Cookie: %s\r\n", cookie);
    answer = client_request(world->port, "GET", "/", header, "");
    assert_int_equal(answer.status, 200);
    answer_free(&answer);
}

static int try_start(struct world *world, const char *listen, const char *token,
                     struct failure *failure)
{
    struct http_server *server = NULL;
    int error = http_server_start(
        &(struct http_options){
            .listen = &listen, .listen_count = 1, .token = token, .registry = world->registry},
        &server, failure);
    if (!error)
        http_server_stop(server);
    return error;
}

static void bad_addresses_are_explained(void **state)
{
    struct world *world = *state;
    struct failure failure = {0};
    char taken[32];
    snprintf(taken, sizeof taken, "127.0.0.1:%u", world->port);
    assert_int_equal(try_start(world, taken, NULL, &failure), -EADDRINUSE);
    assert_non_null(strstr(failure.text, "--listen 127.0.0.1:0"));
    assert_int_equal(try_start(world, "0.0.0.0:0", NULL, &failure), -EPERM);
    assert_non_null(strstr(failure.text, "--token-file"));
    assert_int_equal(try_start(world, "[::]:0", NULL, &failure), -EPERM);
    assert_int_equal(try_start(world, "0.0.0.0:0", "short", &failure), -EINVAL);
    assert_int_equal(try_start(world, "0.0.0.0:0", "0123456789abcdef", &failure), 0);
    assert_int_equal(try_start(world, "localhost:0", NULL, &failure), 0);
    assert_int_equal(try_start(world, "[::1", NULL, &failure), -EINVAL);
    assert_int_equal(try_start(world, "127.0.0.1:65536", NULL, &failure), -EINVAL);
    assert_int_equal(try_start(world, "127.0.0.1:", NULL, &failure), -EINVAL);
    assert_int_equal(try_start(world, "example.com:80", NULL, &failure), -EINVAL);
}

static void the_page_may_run_only_its_own_scripts(void **state)
{
    struct world *world = *state;
    struct answer answer = client_get(world->port, "/");
    assert_int_equal(answer.status, 200);
    char policy[512];
    answer_header(&answer, "Content-Security-Policy", sizeof policy, policy);
    assert_true(!strncmp(policy, "default-src 'none';", 19));
    assert_non_null(strstr(policy, "script-src 'self'"));
    assert_non_null(strstr(policy, "frame-ancestors 'none'"));
    assert_null(strstr(policy, "unsafe"));
    assert_true(answer_has(&answer, "X-Content-Type-Options: nosniff"));
    assert_true(answer_has(&answer, "Referrer-Policy: no-referrer"));
    assert_null(memmem(answer.body, answer.body_bytes, "<style", 6));
    assert_null(memmem(answer.body, answer.body_bytes, "onclick", 7));
    answer_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_known_hosts_are_answered, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(cross_site_changes_are_refused, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(posts_must_be_json, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(paths_and_methods_are_told_apart, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(sizes_are_limited, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_chunked_body_is_limited_too, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(garbage_is_answered_or_dropped, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(unchanged_answers_are_not_sent_again, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(gzip_is_the_same_content, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(head_has_the_headers_of_get, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_token_is_wanted_from_everybody, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(bad_addresses_are_explained, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(the_page_may_run_only_its_own_scripts, world_set_up,
                                        world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
