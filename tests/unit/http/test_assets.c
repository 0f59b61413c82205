/* Which of the page's files may be kept for ever, and what they are served as. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client.h"
#include "fake_query.h"
#include "http/assets.h"
#include "http/server.h"

static void only_names_with_a_hash_never_change(void **state)
{
    (void)state;
    static const char *const hashed[] = {"main-ABCD2345.js", "worker-ZZZZZZZZ.js",
                                         "a-b-QRSTUV67.css", "main-ABCD2345.js.map"};
    static const char *const others[] = {"index.html",      "main.js",           "main-.js",
                                         "main-ABCD234.js", "main-ABCD23456.js", "main-abcd2345.js",
                                         "main-ABCD2345",   "main-ABCD2345-x.js"};
    for (size_t i = 0; i < array_length(hashed); i++)
        assert_true(assets_name_has_hash(hashed[i]));
    for (size_t i = 0; i < array_length(others); i++)
        assert_false(assets_name_has_hash(others[i]));
}

/* Every file that is embedded, over a real socket. */
static void assets_say_what_they_are_and_how_long_they_last(void **state)
{
    (void)state;
    static const char *const listen = "127.0.0.1:0";
    struct session_registry *registry;
    struct http_server *server;
    unsigned port;
    session_registry_new(&registry);
    assert_int_equal(
        http_server_start(
            &(struct http_options){.listen = &listen, .listen_count = 1, .registry = registry},
            &server, NULL),
        0);
    sscanf(http_server_url(server), "http://127.0.0.1:%u", &port);
    for (size_t i = 0; i < embedded_asset_count; i++) {
        char target[256];
        const char *name = embedded_assets[i].name;
        snprintf(target, sizeof target, "/assets/%s", name);
        struct answer answer = client_get(port, target);
        assert_int_equal(answer.status, 200);
        assert_null(strstr(answer.headers, "application/octet-stream"));
        assert_non_null(strstr(answer.headers, assets_name_has_hash(name)
                                                   ? "public, max-age=31536000, immutable"
                                                   : "private, no-cache"));
        assert_non_null(strstr(answer.headers, "default-src 'none'"));
        assert_null(strstr(answer.headers, "unsafe"));
        answer_free(&answer);
    }
    http_server_stop(server);
    session_registry_free(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_names_with_a_hash_never_change),
        cmocka_unit_test(assets_say_what_they_are_and_how_long_they_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
