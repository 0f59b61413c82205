/* A server on loopback with made-up sessions behind it. */
#pragma once

#include "client.h"
#include "fake_query.h"
#include "http/server.h"

#define WORLD_SESSIONS 2

struct world {
    struct session_registry *registry;
    struct session *sessions[WORLD_SESSIONS];
    struct http_server *server;
    unsigned port;
};

/* Serves the world's sessions at any free port of `address`; NULL: a token is not wanted. */
static inline struct http_server *world_serve(struct world *world, const char *address,
                                              const char *token)
{
    struct failure failure = {0};
    struct http_server *server = NULL;
    int error = http_server_start(
        &(struct http_options){
            .listen = &address, .listen_count = 1, .token = token, .registry = world->registry},
        &server, &failure);
    assert_int_equal(error, 0);
    sscanf(http_server_url(server), "http://%*[^:]:%u", &world->port);
    return server;
}

/* A world with two sessions, of one second each; it is there until world_tear_down(). */
static inline int world_set_up(void **state)
{
    static struct world world;
    session_registry_new(&world.registry);
    for (int i = 0; i < WORLD_SESSIONS; i++) {
        uint32_t id;
        world.sessions[i] = fake_session_new(1234 + i);
        session_registry_add(world.registry, world.sessions[i], &id);
    }
    world.server = world_serve(&world, "127.0.0.1:0", NULL);
    *state = &world;
    return 0;
}

static inline int world_tear_down(void **state)
{
    struct world *world = *state;
    http_server_stop(world->server);
    for (int i = 0; i < WORLD_SESSIONS; i++)
        session_unref(world->sessions[i]);
    session_registry_free(world->registry);
    return 0;
}

/* A problem document with this status, whose detail mentions the text. */
static inline void check_problem(struct answer answer, unsigned status, const char *mentions)
{
    assert_int_equal(answer.status, status);
    assert_true(answer_has(&answer, "Content-Type: application/problem+json"));
    assert_true(answer_has(&answer, "Cache-Control: no-store"));
    cJSON *problem = answer_json(&answer);
    assert_non_null(problem);
    assert_int_equal(cJSON_GetObjectItem(problem, "status")->valueint, status);
    assert_true(cJSON_IsString(cJSON_GetObjectItem(problem, "type")));
    assert_true(cJSON_IsString(cJSON_GetObjectItem(problem, "title")));
    const cJSON *detail = cJSON_GetObjectItem(problem, "detail");
    assert_true(cJSON_IsString(detail));
    assert_non_null(strstr(detail->valuestring, mentions));
    cJSON_Delete(problem);
    answer_free(&answer);
}
