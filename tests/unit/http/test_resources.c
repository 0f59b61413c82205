/* What the resources answer, over a real socket, with made-up sessions behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#define JSON "Content-Type: application/json\r\n"
static void check_count(struct world *world, const char *target, int count)
{
    struct answer answer = client_get(world->port, target);
    assert_int_equal(answer.status, 200);
    cJSON *document = answer_json(&answer);
    assert_int_equal(cJSON_GetObjectItem(document, "count")->valueint, count);
    cJSON_Delete(document);
    answer_free(&answer);
}

static void a_filter_keeps_the_rows_that_match(void **state)
{
    struct world *world = *state;
    check_count(world, "/api/v1/sessions/1/lines?filter=", FAKE_LINES);
    check_count(world, "/api/v1/sessions/1/lines?filter=MAIN", FAKE_LINES / 2);
    check_count(world, "/api/v1/sessions/1/lines?filter=PRIMES", FAKE_LINES); /* the module */
    check_count(world, "/api/v1/sessions/1/lines?filter=none", 0);
    check_count(world, "/api/v1/sessions/1/functions?filter=main", 1);
}

static void grouped_rows_name_their_thread(void **state)
{
    struct world *world = *state;
    struct answer answer = client_get(world->port, "/api/v1/sessions/1/functions?group=thread");
    cJSON *document = answer_json(&answer);
    const cJSON *rows = cJSON_GetObjectItem(document, "functions");
    const cJSON *own = cJSON_GetArrayItem(rows, 0), *others = cJSON_GetArrayItem(rows, 1);
    assert_int_equal(cJSON_GetObjectItem(own, "tid")->valueint, 1234);
    assert_string_equal(cJSON_GetObjectItem(own, "thread")->valuestring, "primes");
    assert_int_equal(cJSON_GetObjectItem(others, "tid")->valueint, 0);
    assert_string_equal(cJSON_GetObjectItem(others, "thread")->valuestring, "7 other threads");
    cJSON_Delete(document);
    answer_free(&answer);
}

static void functions_of_a_file_end_where_the_text_says(void **state)
{
    struct world *world = *state;
    struct answer answer = client_get(world->port, "/api/v1/sessions/1/files/1/functions");
    cJSON *document = answer_json(&answer);
    cJSON *rows = cJSON_GetObjectItem(document, "functions");
    assert_int_equal(cJSON_GetArraySize(rows), 2);
    const cJSON *main = cJSON_GetArrayItem(rows, 0), *other = cJSON_GetArrayItem(rows, 1);
    assert_int_equal(cJSON_GetObjectItem(main, "line")->valueint, 1);
    assert_int_equal(cJSON_GetObjectItem(main, "end_line")->valueint, 4);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(other, "line")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(other, "end_line")));
    cJSON_Delete(document);
    answer_free(&answer);
    check_problem(client_get(world->port, "/api/v1/sessions/1/files/9/functions"), 404,
                  "no file 9");
}

static void pages_follow_each_other_without_gaps(void **state)
{
    struct world *world = *state;
    char target[160] = "/api/v1/sessions/1/lines?limit=100";
    bool seen[FAKE_LINES] = {false};
    size_t pages = 0, rows = 0;
    uint64_t first_total = 0;
    while (*target) {
        struct answer answer = client_get(world->port, target);
        cJSON *page = answer_json(&answer);
        const cJSON *row;
        cJSON_ArrayForEach(row, cJSON_GetObjectItem(page, "lines"))
        {
            int at = (cJSON_GetObjectItem(row, "file")->valueint - 1) * 100 +
                     cJSON_GetObjectItem(row, "line")->valueint - 1;
            assert_false(seen[at]);
            seen[at] = true;
            rows++;
        }
        /* Time passes between the pages, but they show the same range. */
        uint64_t total =
            (uint64_t)cJSON_GetObjectItem(cJSON_GetObjectItem(page, "total"), "hits")->valuedouble;
        if (!pages++)
            first_total = total;
        assert_int_equal(total, first_total);
        fake_advance(world->sessions[0], NS_PER_SECOND);
        const cJSON *next = cJSON_GetObjectItem(page, "next_cursor");
        assert_true(cJSON_IsString(next) || cJSON_IsNull(next));
        *target = '\0';
        if (cJSON_IsString(next))
            snprintf(target, sizeof target, "/api/v1/sessions/1/lines?limit=100&cursor=%s",
                     next->valuestring);
        cJSON_Delete(page);
        answer_free(&answer);
    }
    assert_int_equal(pages, 3);
    assert_int_equal(rows, FAKE_LINES);
}

static void arrays_name_their_next_page_in_a_link(void **state)
{
    struct world *world = *state;
    struct answer answer = client_get(world->port, "/api/v1/sessions/1/files?sort=total&limit=3");
    char link[256];
    answer_header(&answer, "Link", sizeof link, link);
    assert_true(!strncmp(link, "<?sort=total&limit=3&cursor=3-", 30));
    assert_non_null(strstr(link, ">; rel=\"next\""));
    answer_free(&answer);
    answer = client_get(world->port, "/api/v1/sessions/1/files");
    assert_false(answer_has(&answer, "\nLink: "));
    answer_free(&answer);
}

static void attaching_says_why_not(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *body;
        unsigned status;
        const char *mentions;
    } cases[] = {
        {"{\"pid\":404}", 404, "no such process"},
        {"{\"pid\":403}", 403, "root"},
        {"{\"pid\":422}", 422, "32-bit"},
        {"{\"pid\":1234}", 409, "Session 1"},
        {"{\"pid\":5,\"x\":1}", 400, "x"},
        {"{}", 400, "pid"},
        {"{\"pid\":5,\"frequency_hz\":50001}", 400, "frequency_hz"},
        {"{\"pid\":5,\"stack_bytes\":513}", 400, "stack_bytes"},
    };
    for (size_t i = 0; i < array_length(cases); i++)
        check_problem(client_request(world->port, "POST", "/api/v1/sessions", JSON, cases[i].body),
                      cases[i].status, cases[i].mentions);
}

static void attaching_makes_a_session(void **state)
{
    struct world *world = *state;
    struct answer answer =
        client_request(world->port, "POST", "/api/v1/sessions", JSON, "{\"pid\":4321}");
    assert_int_equal(answer.status, 201);
    cJSON *session = answer_json(&answer);
    char expected[64], location[64];
    snprintf(expected, sizeof expected, "/api/v1/sessions/%d",
             cJSON_GetObjectItem(session, "id")->valueint);
    answer_header(&answer, "Location", sizeof location, location);
    assert_string_equal(location, expected);
    cJSON_Delete(session);
    answer_free(&answer);
    /* It is the newest now. */
    answer = client_get(world->port, "/api/v1/sessions/current");
    session = answer_json(&answer);
    assert_int_equal(cJSON_GetObjectItem(session, "pid")->valueint, 4321);
    cJSON_Delete(session);
    answer_free(&answer);
}

static void check_state(struct world *world, const char *method, const char *body, unsigned status,
                        const char *expected)
{
    struct answer answer =
        client_request(world->port, method, "/api/v1/sessions/1", *body ? JSON : "", body);
    assert_int_equal(answer.status, status);
    answer_free(&answer);
    answer = client_get(world->port, "/api/v1/sessions/1");
    cJSON *session = answer_json(&answer);
    assert_string_equal(cJSON_GetObjectItem(session, "state")->valuestring, expected);
    cJSON_Delete(session);
    answer_free(&answer);
}

static void sessions_pause_resume_and_detach(void **state)
{
    struct world *world = *state;
    check_state(world, "PATCH", "{\"state\":\"paused\"}", 200, "paused");
    check_state(world, "PATCH", "{\"state\":\"paused\"}", 200, "paused");
    check_state(world, "PATCH", "{\"state\":\"running\"}", 200, "running");
    check_state(world, "PATCH", "{\"state\":\"exited\"}", 400, "running");
    check_state(world, "DELETE", "", 204, "detached");
    check_state(world, "DELETE", "", 204, "detached");
    check_state(world, "PATCH", "{\"state\":\"running\"}", 409, "detached");
    struct answer answer =
        client_request(world->port, "DELETE", "/api/v1/sessions/1?forget=1", "", "");
    assert_int_equal(answer.status, 204);
    answer_free(&answer);
    check_problem(client_get(world->port, "/api/v1/sessions/1"), 404, "1");
}

static void sources_say_what_they_are(void **state)
{
    struct world *world = *state;
    struct answer answer = client_get(world->port, "/api/v1/sessions/1/files/1/text");
    assert_int_equal(answer.status, 200);
    assert_true(answer_has(&answer, "Content-Type: text/plain; charset=utf-8"));
    assert_true(answer_has(&answer, "Source-Status: found"));
    assert_non_null(memmem(answer.body, answer.body_bytes, "\xc3\xa9;\n}\n", 6));
    answer_free(&answer);
    answer = client_get(world->port, "/api/v1/sessions/1/files/2/text");
    assert_true(answer_has(&answer, "Source-Status: stale"));
    answer_free(&answer);
    check_problem(client_get(world->port, "/api/v1/sessions/1/files/3/text"), 404, "--source-path");
    check_problem(client_get(world->port, "/api/v1/sessions/1/files/4/text"), 404, "may not read");
    check_problem(client_get(world->port, "/api/v1/sessions/1/files/5/text"), 404, "no file 5");
    check_problem(client_get(world->port, "/api/v1/sessions/1/files/5/lines"), 404, "no file 5");
    check_problem(client_get(world->port, "/api/v1/sessions/1/files/5/listing"), 404, "no file 5");
}

static void a_focus_that_means_nothing_is_refused(void **state)
{
    struct world *world = *state;
    static const char *const tables[] = {"lines",      "functions", "files", "threads",
                                         "flamegraph", "timeline",  "events"};
    for (size_t i = 0; i < array_length(tables); i++) {
        char target[128];
        snprintf(target, sizeof target, "/api/v1/sessions/1/%s?focus=%%3B", tables[i]);
        check_problem(client_get(world->port, target), 400, "focus");
    }
}

static void status_explains_the_choice_of_a_backend(void **state)
{
    struct world *world = *state;
    struct answer answer = client_get(world->port, "/api/v1/status");
    assert_int_equal(answer.status, 200);
    cJSON *document = answer_json(&answer);
    const cJSON *capabilities = cJSON_GetObjectItem(document, "capabilities");
    const cJSON *choices = cJSON_GetObjectItem(capabilities, "backend_choices"), *choice;
    size_t count = 0;
    cJSON_ArrayForEach(choice, choices)
    {
        const char *name = session_backend_names[++count]; /* after "auto", in the same order */
        assert_non_null(name);
        assert_string_equal(cJSON_GetObjectItem(choice, "name")->valuestring, name);
        assert_non_null(strchr(cJSON_GetObjectItem(choice, "reason")->valuestring, ':'));
        assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(choice, "follows")), count <= 2);
    }
    assert_null(session_backend_names[count + 1]);
    cJSON_Delete(document);
    answer_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(status_explains_the_choice_of_a_backend, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(a_filter_keeps_the_rows_that_match, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(grouped_rows_name_their_thread, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(functions_of_a_file_end_where_the_text_says, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(pages_follow_each_other_without_gaps, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(arrays_name_their_next_page_in_a_link, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(attaching_says_why_not, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(attaching_makes_a_session, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(sessions_pause_resume_and_detach, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(sources_say_what_they_are, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_focus_that_means_nothing_is_refused, world_set_up,
                                        world_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
