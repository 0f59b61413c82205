/* Live events over a real socket: what a client adds up is what a query answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

/* A stream that is read event by event. HTTP/1.0, so that nothing is chunked. */
struct stream {
    int fd;
    struct text text; /* received so far */
    size_t offset;    /* of what was not looked at yet */
    char name[16];    /* of the last event */
    uint64_t id;      /* the last id that was seen */
    bool has_id;      /* the last event carried one */
    cJSON *data;      /* owned; of the last event */
};

static void stream_open(struct stream *stream, unsigned port, const char *query,
                        const char *headers)
{
    struct text request = {0};
    *stream = (struct stream){.fd = client_connect(port)};
    assert_true(stream->fd >= 0);
    text_printf(&request,
                "GET /api/v1/sessions/1/events%s HTTP/1.0\r\nHost: 127.0.0.1:%u\r\n%s\r\n", query,
                port, headers);
    client_send(stream->fd, request.bytes, request.length);
    text_free(&request);
}

static void stream_close(struct stream *stream)
{
    close(stream->fd);
    cJSON_Delete(stream->data);
    text_free(&stream->text);
}

/* The next block that ends with an empty line; NULL at the end of the stream. */
static char *next_block(struct stream *stream)
{
    for (;;) {
        char *start = stream->text.bytes ? stream->text.bytes + stream->offset : NULL;
        char *end = start ? strstr(start, "\n\n") : NULL;
        if (end) {
            *end = '\0';
            stream->offset = (size_t)(end - stream->text.bytes) + 2;
            return start;
        }
        char piece[65536];
        ssize_t count = recv(stream->fd, piece, sizeof piece, 0);
        if (count <= 0)
            return NULL;
        text_add(&stream->text, piece, (size_t)count);
    }
}

/* Reads on to the next event of this name; false at the end of the stream. */
static bool stream_next(struct stream *stream, const char *name)
{
    char *block;
    while ((block = next_block(stream))) {
        const char *event = strstr(block, "event: ");
        const char *data = strstr(block, "data: ");
        const char *id = strncmp(block, "id: ", 4) ? NULL : block;
        if (id)
            stream->id = strtoull(id + 4, NULL, 10);
        if (!event || !data)
            continue;
        sscanf(event, "event: %15s", stream->name);
        if (strcmp(stream->name, name) != 0)
            continue;
        stream->has_id = id != NULL;
        cJSON_Delete(stream->data);
        stream->data = cJSON_Parse(data + 6);
        assert_non_null(stream->data);
        return true;
    }
    return false;
}

static uint64_t number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(object, key);
    assert_true(cJSON_IsNumber(item));
    return (uint64_t)item->valuedouble;
}

static int row_count(const struct stream *stream)
{
    return cJSON_GetArraySize(cJSON_GetObjectItem(stream->data, "lines"));
}

/* Reads on until this event has been there so often; returns how many of the other came meanwhile.
 */
static unsigned count_until(struct stream *stream, const char *name, unsigned times,
                            const char *other)
{
    unsigned others = 0;
    while (times) {
        char *block = next_block(stream), event[16] = "";
        assert_non_null(block);
        const char *found = strstr(block, "event: ");
        if (found)
            sscanf(found, "event: %15s", event);
        times -= !strcmp(event, name);
        others += !strcmp(event, other);
    }
    return others;
}

static void a_stream_begins_with_everything(void **state)
{
    struct world *world = *state;
    struct stream stream;
    stream_open(&stream, world->port, "", "");
    assert_true(stream_next(&stream, "session"));
    assert_int_equal(number(stream.data, "pid"), 1234);
    assert_true(stream_next(&stream, "totals"));
    assert_int_equal(number(cJSON_GetObjectItem(stream.data, "samples"), "total"), 1000);
    assert_true(stream_next(&stream, "lines"));
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(stream.data, "reset")));
    assert_int_equal(row_count(&stream), FAKE_LINES);
    assert_true(stream.has_id);
    assert_int_equal(stream.id, NS_PER_SECOND);
    assert_non_null(strstr(stream.text.bytes, "Content-Type: text/event-stream"));
    stream_close(&stream);
}

static void deltas_hold_only_what_changed(void **state)
{
    struct world *world = *state;
    struct stream stream;
    stream_open(&stream, world->port, "", "");
    assert_true(stream_next(&stream, "lines"));
    fake_advance(world->sessions[0], NS_PER_SECOND);
    assert_true(stream_next(&stream, "lines"));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(stream.data, "reset")));
    assert_int_equal(number(stream.data, "from_ns"), NS_PER_SECOND);
    assert_int_equal(number(stream.data, "to_ns"), 2 * NS_PER_SECOND);
    assert_int_equal(row_count(&stream), 10);
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(stream.data, "lines"))
        assert_int_equal(number(row, "self_hits"), 100);
    stream_close(&stream);
}

static void a_limit_holds_for_events_too(void **state)
{
    struct world *world = *state;
    struct stream stream;
    stream_open(&stream, world->port, "?limit=5", "");
    assert_true(stream_next(&stream, "lines"));
    assert_int_equal(row_count(&stream), 5);
    assert_int_equal(number(stream.data, "count"), FAKE_LINES);
    stream_close(&stream);
}

static void a_client_that_returns_gets_the_difference(void **state)
{
    struct world *world = *state;
    struct stream stays, leaves;
    stream_open(&stays, world->port, "", ""); /* keeps the channel's memory */
    stream_open(&leaves, world->port, "", "");
    assert_true(stream_next(&leaves, "lines"));
    stream_close(&leaves);
    fake_advance(world->sessions[0], NS_PER_SECOND);
    assert_true(stream_next(&stays, "lines"));
    assert_true(stream_next(&stays, "lines"));
    stream_open(&leaves, world->port, "", "Last-Event-ID: 1000000000\r\n");
    assert_true(stream_next(&leaves, "lines"));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(leaves.data, "reset")));
    assert_int_equal(number(leaves.data, "from_ns"), NS_PER_SECOND);
    assert_int_equal(row_count(&leaves), 10);
    stream_close(&leaves);
    stream_close(&stays);
}

static void a_client_that_knows_something_else_starts_anew(void **state)
{
    struct world *world = *state;
    static const char *const headers[] = {"Last-Event-ID: 999\r\n", "Last-Event-ID: x\r\n",
                                          "Last-Event-ID: 99999999999999999999999\r\n"};
    for (size_t i = 0; i < array_length(headers); i++) {
        struct stream stream;
        stream_open(&stream, world->port, "", headers[i]);
        assert_true(stream_next(&stream, "lines"));
        assert_true(cJSON_IsTrue(cJSON_GetObjectItem(stream.data, "reset")));
        assert_int_equal(row_count(&stream), FAKE_LINES);
        stream_close(&stream);
    }
}

/* What was sent before is no longer what a query up to that time answers. */
static void new_symbols_make_a_client_start_anew(void **state)
{
    struct world *world = *state;
    struct stream stays, returns;
    stream_open(&stays, world->port, "", "");
    assert_true(stream_next(&stays, "lines"));
    atomic_fetch_add(&world->sessions[0]->generation, 1);
    fake_advance(world->sessions[0], NS_PER_SECOND);
    assert_true(stream_next(&stays, "lines"));
    stream_open(&returns, world->port, "", "Last-Event-ID: 1000000000\r\n");
    assert_true(stream_next(&returns, "lines"));
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(returns.data, "reset")));
    stream_close(&returns);
    stream_close(&stays);
}

static void a_change_of_state_is_an_event(void **state)
{
    struct world *world = *state;
    struct stream stream;
    stream_open(&stream, world->port, "", "");
    assert_true(stream_next(&stream, "lines"));
    assert_int_equal(session_pause(world->sessions[0]), 0);
    assert_true(stream_next(&stream, "session"));
    assert_string_equal(cJSON_GetObjectItem(stream.data, "state")->valuestring, "paused");
    stream_close(&stream);
}

static void streams_end_when_their_session_is_forgotten(void **state)
{
    struct world *world = *state;
    struct stream stream;
    stream_open(&stream, world->port, "", "");
    assert_true(stream_next(&stream, "lines"));
    struct answer answer =
        client_request(world->port, "DELETE", "/api/v1/sessions/1?forget=1", "", "");
    assert_int_equal(answer.status, 204);
    answer_free(&answer);
    while (stream_next(&stream, "totals"))
        ;
    stream_close(&stream);
}

static void streams_end_with_the_server(void **state)
{
    struct world *world = *state;
    struct stream streams[20];
    for (size_t i = 0; i < array_length(streams); i++) {
        stream_open(&streams[i], world->port, i % 2 ? "?sort=total" : "", "");
        assert_true(stream_next(&streams[i], "lines"));
    }
    uint64_t start_ns = clock_monotonic_ns();
    http_server_stop(world->server);
    world->server = NULL;
    assert_true(clock_monotonic_ns() - start_ns < 10 * NS_PER_SECOND);
    for (size_t i = 0; i < array_length(streams); i++) {
        while (stream_next(&streams[i], "lines"))
            ;
        stream_close(&streams[i]);
    }
}

static void a_file_is_streamed_whole(void **state)
{
    struct world *world = *state;
    struct stream stream;
    stream_open(&stream, world->port, "?file=2&limit=3", "");
    assert_true(stream_next(&stream, "lines"));
    assert_int_equal(row_count(&stream), 100);
    assert_int_equal(number(stream.data, "count"), 100);
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(stream.data, "lines"))
        assert_int_equal(number(row, "file"), 2);
    fake_advance(world->sessions[0], NS_PER_SECOND); /* nothing of this file, but the total grows */
    assert_true(stream_next(&stream, "lines"));
    assert_int_equal(row_count(&stream), 0);
    assert_int_equal(number(cJSON_GetObjectItem(stream.data, "total"), "hits"), 2000);
    stream_close(&stream);

    struct answer answer = client_get(world->port, "/api/v1/sessions/1/events?file=99");
    assert_int_equal(answer.status, 404);
    answer_free(&answer);
}

static void functions_are_streamed_like_lines(void **state)
{
    struct world *world = *state;
    struct stream stream;
    stream_open(&stream, world->port, "?functions=1", "");
    assert_true(stream_next(&stream, "functions"));
    const cJSON *rows = cJSON_GetObjectItem(stream.data, "functions");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(stream.data, "reset")));
    assert_int_equal(cJSON_GetArraySize(rows), 2);
    assert_int_equal(number(cJSON_GetArrayItem(rows, 0), "id"), 1);
    assert_true(stream.has_id);
    fake_advance(world->sessions[0], NS_PER_SECOND);
    assert_true(stream_next(&stream, "functions"));
    rows = cJSON_GetObjectItem(stream.data, "functions");
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(stream.data, "reset")));
    assert_int_equal(cJSON_GetArraySize(rows), 1); /* only main grows */
    assert_int_equal(number(cJSON_GetArrayItem(rows, 0), "self_hits"), 1900);
    stream_close(&stream);
}

static void a_range_that_is_past_is_quiet(void **state)
{
    struct world *world = *state;
    struct stream stream;
    fake_advance(world->sessions[0], NS_PER_SECOND);
    stream_open(&stream, world->port, "?from_ns=1&to_ns=1000000000", "");
    assert_int_equal(count_until(&stream, "lines", 1, "totals"), 1);
    for (int i = 0; i < 3; i++) {
        fake_advance(world->sessions[0], NS_PER_SECOND);
        assert_int_equal(count_until(&stream, "totals", 1, "lines"), 0);
    }
    stream_close(&stream);
}

/* Clients that come, read nothing and go leave nothing behind (under ASan: no leak, no crash). */
static void vanishing_clients_do_no_harm(void **state)
{
    struct world *world = *state;
    for (int round = 0; round < 10; round++) {
        struct stream streams[20];
        for (size_t i = 0; i < array_length(streams); i++)
            stream_open(&streams[i], world->port, i % 3 ? "" : "?limit=3", "");
        fake_advance(world->sessions[0], NS_PER_SECOND);
        for (size_t i = 0; i < array_length(streams); i++)
            stream_close(&streams[i]);
    }
    struct stream stream;
    stream_open(&stream, world->port, "", "");
    assert_true(stream_next(&stream, "lines"));
    stream_close(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stream_begins_with_everything, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(deltas_hold_only_what_changed, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(a_limit_holds_for_events_too, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_returns_gets_the_difference, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_knows_something_else_starts_anew,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(new_symbols_make_a_client_start_anew, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(a_change_of_state_is_an_event, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(streams_end_when_their_session_is_forgotten, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(streams_end_with_the_server, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_streamed_whole, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(functions_are_streamed_like_lines, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(a_range_that_is_past_is_quiet, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(vanishing_clients_do_no_harm, world_set_up,
                                        world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
