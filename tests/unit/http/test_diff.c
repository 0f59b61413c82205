/* Comparisons over a real socket: what is asked for, and what is said when that makes no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

/* Two sessions, of one and of three seconds. */
static int set_up(void **state)
{
    world_set_up(state);
    fake_advance(((struct world *)*state)->sessions[1], 2 * NS_PER_SECOND);
    return 0;
}

static cJSON *get(const struct world *world, const char *query)
{
    char target[512];
    snprintf(target, sizeof target, "/api/v1/diff%s", query);
    struct answer answer = client_get(world->port, target);
    assert_int_equal(answer.status, 200);
    cJSON *document = answer_json(&answer);
    assert_non_null(document);
    answer_free(&answer);
    return document;
}

/* The number at "a.b.c", or -1 when that is null or not there. */
static double number_at(const cJSON *document, const char *path)
{
    while (*path && document) {
        char key[64];
        size_t length = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)length, path);
        document = cJSON_IsArray(document)
                       ? cJSON_GetArrayItem(document, (int)strtol(key, NULL, 10))
                       : cJSON_GetObjectItemCaseSensitive(document, key);
        path += length + (path[length] == '.');
    }
    return cJSON_IsNumber(document) ? document->valuedouble : -1;
}

static void each_side_has_its_session_and_range(void **state)
{
    struct world *world = *state;
    cJSON *document = get(world, "?a=1&b=2&a_to_ns=500000000&b_from_ns=1000000000");
    assert_true(number_at(document, "a.session") == 1);
    assert_true(number_at(document, "a.to_ns") == 5e8);
    assert_true(number_at(document, "a.total.hits") == 500);
    assert_true(number_at(document, "b.session") == 2);
    assert_true(number_at(document, "b.from_ns") == 1e9);
    assert_true(number_at(document, "b.to_ns") == 3e9);
    assert_true(number_at(document, "b.unknown.reasons.no_debug_info") == 7);
    cJSON_Delete(document);

    document = get(world, "");
    assert_true(number_at(document, "a.session") == 2);
    assert_true(number_at(document, "b.session") == 2);
    cJSON_Delete(document);
}

static void rows_keep_both_numbers_and_the_evidence(void **state)
{
    struct world *world = *state;
    cJSON *document = get(world, "?a=1&b=2&share=total&sort=p");
    assert_string_equal(cJSON_GetObjectItem(document, "share")->valuestring, "total");
    assert_true(number_at(document, "count") == 2 && number_at(document, "significant") == 1);
    assert_true(number_at(document, "rows.0.a.self_hits") == 90);
    assert_true(number_at(document, "rows.0.b.line") == 3);
    assert_true(number_at(document, "rows.0.delta_percent") == 25);
    /* Tiny numbers are not rounded away. */
    assert_true(number_at(document, "rows.0.p_value") == 1.25e-10);
    const cJSON *removed = cJSON_GetArrayItem(cJSON_GetObjectItem(document, "rows"), 1);
    assert_string_equal(cJSON_GetObjectItem(removed, "presence")->valuestring, "a");
    assert_string_equal(cJSON_GetObjectItem(removed, "alignment")->valuestring, "text");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetObjectItem(removed, "b"), "line")));
    cJSON_Delete(document);
}

static void functions_have_no_alignment_and_nothing_unknown(void **state)
{
    struct world *world = *state;
    cJSON *document = get(world, "?kind=functions");
    const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(document, "rows"), 0);
    assert_null(cJSON_GetObjectItem(row, "alignment"));
    assert_null(cJSON_GetObjectItem(cJSON_GetObjectItem(document, "a"), "unknown"));
    cJSON_Delete(document);
}

static void pages_are_cut_by_offset_and_limit(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *query;
        int rows;
    } cases[] = {{"?limit=1", 1}, {"?offset=1", 1}, {"?offset=2", 0}, {"?offset=99", 0}};
    for (size_t i = 0; i < array_length(cases); i++) {
        cJSON *document = get(world, cases[i].query);
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(document, "rows")), cases[i].rows);
        assert_true(number_at(document, "count") == 2);
        cJSON_Delete(document);
    }
}

static void a_file_comes_whole_with_its_alignment(void **state)
{
    struct world *world = *state;
    cJSON *document = get(world, "?file=1&limit=1");
    assert_true(number_at(document, "file.b") == 1);
    assert_true(number_at(document, "file.runs.1.0") == 5);
    assert_true(number_at(document, "file.runs.1.2") == 10);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(document, "rows")), 2);
    cJSON_Delete(document);
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *query;
        int status;
        const char *mentions;
    } cases[] = {
        {"?a=7", 404, "session 7"},
        {"?b=0", 400, "'b'"},
        {"?a=x", 400, "'a'"},
        {"?a=1&a=1", 400, "'a'"},
        {"?a_from_ns=5&a_to_ns=5", 400, "a_to_ns"},
        {"?b_to_ns=0", 400, "'b_to_ns'"},
        {"?a_focus=%3b", 400, "a_focus"},
        {"?focus=%3b", 400, "focus"},
        {"?b_focus=", 400, "'b_focus'"},
        {"?kind=files", 400, "'kind'"},
        {"?sort=self", 400, "delta"},
        {"?share=delta", 400, "'share'"},
        {"?file=99", 404, "99"},
        {"?file=1&kind=functions", 400, "'file'"},
        {"?a_tid=0", 400, "'a_tid'"},
        {"?offset=-1", 400, "'offset'"},
        {"?from_ns=1", 400, "from_ns"},
        {"?cursor=1-1", 400, "cursor"},
    };
    for (size_t i = 0; i < array_length(cases); i++) {
        char target[128];
        snprintf(target, sizeof target, "/api/v1/diff%s", cases[i].query);
        struct answer answer = client_get(world->port, target);
        if ((int)answer.status != cases[i].status)
            fail_msg("%s: %u", target, answer.status);
        cJSON *problem = answer_json(&answer);
        const char *detail = cJSON_GetObjectItem(problem, "detail")->valuestring;
        if (!strstr(detail, cases[i].mentions))
            fail_msg("%s: %s", target, detail);
        cJSON_Delete(problem);
        answer_free(&answer);
    }
}

/* Of either session: both are compared. */
static void an_answer_is_new_when_a_session_grew(void **state)
{
    struct world *world = *state;
    static const char target[] = "/api/v1/diff?a=1&b=2";
    struct answer first = client_get(world->port, target);
    char tag[128], header[256];
    answer_header(&first, "ETag", sizeof tag, tag);
    snprintf(header, sizeof header, "If-None-Match: %s\r\n", tag);
    struct answer same = client_request(world->port, "GET", target, header, "");
    assert_int_equal(same.status, 304);
    fake_advance(world->sessions[0], NS_PER_SECOND);
    struct answer grown = client_request(world->port, "GET", target, header, "");
    assert_int_equal(grown.status, 200);
    answer_free(&first);
    answer_free(&same);
    answer_free(&grown);
}

#define diff_test(name) cmocka_unit_test_setup_teardown(name, set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        diff_test(each_side_has_its_session_and_range),
        diff_test(rows_keep_both_numbers_and_the_evidence),
        diff_test(functions_have_no_alignment_and_nothing_unknown),
        diff_test(pages_are_cut_by_offset_and_limit),
        diff_test(a_file_comes_whole_with_its_alignment),
        diff_test(what_makes_no_sense_is_refused),
        diff_test(an_answer_is_new_when_a_session_grew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
