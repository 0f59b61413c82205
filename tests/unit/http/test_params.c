/* Query parameters and body fields are taken strictly, and refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/fields.h"
#include "http/params.h"

#define ALL (~0u)

static void refuses(const char *query, unsigned allowed, const char *mentions)
{
    struct params params;
    struct reply reply = {0};
    assert_false(params_parse(query, allowed, &params, &reply));
    assert_int_equal(reply.status, 400);
    assert_non_null(reply.blob);
    assert_non_null(strstr(reply.blob->bytes, mentions));
    reply_clear(&reply);
}

static void takes(const char *query, struct params *ret_params)
{
    struct reply reply = {0};
    assert_true(params_parse(query, ALL, ret_params, &reply));
    assert_int_equal(reply.status, 0);
}

static void defaults_are_those_of_the_documentation(void **state)
{
    (void)state;
    struct params params;
    takes("", &params);
    assert_int_equal(params.limit, 100);
    assert_int_equal(params.step_ns, 0);
    assert_int_equal(params.points, 0);
    assert_true(params.min_percent == 0.1);
    assert_int_equal(params.sort, QUERY_SORT_SELF);
    assert_int_equal(params.inlines, QUERY_INLINES_WRITTEN);
    assert_false(params.hide_kernel);
    assert_int_equal(params.focus.count + params.hide.count, 0);
    assert_null(params.center);
    params_free(&params);
}

static void parameters_reach_the_query(void **state)
{
    (void)state;
    struct params params;
    takes("from_ns=5&to_ns=9&tid=7&tid=8&metric=cpu&sort=total&inlines=called&kernel=0"
          "&focus=std%3A%3Asort%2B+x&hide=a&hide=%3Bb%5C%3Bc&focus=main&",
          &params);
    struct query_options options = params_query_options(&params);
    assert_int_equal(options.from_ns, 5);
    assert_int_equal(options.to_ns, 9);
    assert_int_equal(options.tid_count, 2);
    assert_int_equal(options.tids[1], 8);
    assert_int_equal(options.sort, QUERY_SORT_TOTAL);
    assert_int_equal(options.inlines, QUERY_INLINES_CALLED);
    assert_true(options.hide_kernel);
    assert_int_equal(options.focus_count, 2);
    assert_string_equal(options.focus[0], "std::sort+ x");
    assert_string_equal(options.focus[1], "main");
    assert_int_equal(options.hide_count, 2);
    assert_string_equal(options.hide[1], ";b\\;c");
    params_free(&params);
}

static void wrong_parameters_are_named(void **state)
{
    (void)state;
    refuses("nope=1", ALL, "nope");
    refuses("step_ns=1000000", PARAM_LIMIT, "step_ns");
    refuses("limit=0", ALL, "limit");
    refuses("limit=10001", ALL, "limit");
    refuses("limit=1e3", ALL, "limit");
    refuses("limit=", ALL, "limit");
    refuses("limit", ALL, "limit");
    refuses("limit=1&limit=2", ALL, "limit");
    refuses("from_ns=-1", ALL, "from_ns");
    refuses("from_ns=18446744073709551616", ALL, "from_ns");
    refuses("from_ns=9223372036854775808", ALL, "from_ns");
    refuses("from_ns=5&to_ns=5", ALL, "to_ns");
    refuses("tid=0", ALL, "tid");
    refuses("tid=4194305", ALL, "tid");
    refuses("metric=wall", ALL, "metric");
    refuses("sort=SELF", ALL, "sort");
    refuses("inlines=both", ALL, "inlines");
    refuses("kernel=2", ALL, "kernel");
    refuses("focus=", ALL, "focus");
    refuses("hide=", ALL, "hide");
    refuses("center=", ALL, "center");
    refuses("direction=up&center=a", ALL, "direction");
    refuses("direction=callers", ALL, "center");
    refuses("inverted=1&center=a", ALL, "center");
    refuses("inverted=2", ALL, "inverted");
    refuses("sites=2", ALL, "sites");
    refuses("max_nodes=1", ALL, "max_nodes");
    refuses("max_nodes=1000001", ALL, "max_nodes");
    refuses("group=module", ALL, "group");
    refuses("file=0", ALL, "file");
    refuses("functions=2", ALL, "functions");
    refuses("functions=1&file=2", ALL, "functions");
    refuses("cursor=5", ALL, "cursor");
    refuses("cursor=0-5", ALL, "cursor");
    refuses("step_ns=999999", ALL, "step_ns");
    refuses("points=0", ALL, "points");
    refuses("points=10001", ALL, "points");
    refuses("min_percent=100.1", ALL, "min_percent");
    refuses("min_percent=nan", ALL, "min_percent");
    refuses("min_percent=0x1", ALL, "min_percent");
    refuses("min_percent=1.2.3", ALL, "min_percent");
    refuses("focus=%00", ALL, "NUL");
    refuses("focus=%4", ALL, "hexadecimal");
    refuses("focus=%zz", ALL, "hexadecimal");
}

static void too_many_tids_are_refused(void **state)
{
    (void)state;
    struct text query = {0};
    for (int i = 0; i <= PARAMS_TIDS_MAX; i++)
        text_add_string(&query, "tid=5&");
    refuses(query.bytes, ALL, "tid");
    text_free(&query);
}

static void too_many_frames_are_refused(void **state)
{
    (void)state;
    struct text query = {0};
    for (int i = 0; i <= PARAMS_STACKS_MAX; i++)
        text_add_string(&query, "hide=a&focus=b&");
    refuses(query.bytes, ALL, "hide");
    text_free(&query);
}

static void a_cursor_pins_the_range(void **state)
{
    (void)state;
    char cursor[CURSOR_BYTES];
    struct text query = {0};
    struct params params;
    cursor_format(200, 12345, cursor);
    text_printf(&query, "cursor=%s", cursor);
    takes(query.bytes, &params);
    assert_int_equal(params.offset, 200);
    assert_int_equal(params_query_options(&params).to_ns, 12345);
    params_free(&params);
    text_free(&query);
}

struct values {
    uint64_t pid, bytes;
    const char *event;
};

static const char *const events[] = {"auto", "cycles", NULL};
static const struct field fields[] = {
    {.name = "pid", .type = FIELD_U64, .min = 1, .max = 100, .required = true},
    {.name = "bytes",
     .type = FIELD_U64,
     .max = 64,
     .multiple = 8,
     .offset = offsetof(struct values, bytes)},
    {.name = "event",
     .type = FIELD_CHOICE,
     .choices = events,
     .offset = offsetof(struct values, event)},
};

static bool parse_body(const char *body, struct values *values, struct reply *reply)
{
    struct text text = {0};
    text_add_string(&text, body);
    bool good = fields_parse(&text, fields, 3, values, reply);
    text_free(&text);
    return good;
}

static void fields_are_stored(void **state)
{
    (void)state;
    struct values values = {.bytes = 5};
    struct reply reply = {0};
    assert_true(parse_body(" {\"event\":\"cycles\",\"pid\":7} ", &values, &reply));
    assert_int_equal(values.pid, 7);
    assert_int_equal(values.bytes, 5);
    assert_string_equal(values.event, "cycles");
}

static void wrong_fields_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *body, *mentions;
    } cases[] = {
        {"", "object"},
        {"[]", "object"},
        {"{\"pid\":1", "object"},
        {"{\"pid\":1} x", "object"},
        {"{}", "pid"},
        {"{\"pid\":0}", "pid"},
        {"{\"pid\":1.5}", "pid"},
        {"{\"pid\":\"1\"}", "pid"},
        {"{\"pid\":101}", "pid"},
        {"{\"pid\":-1}", "pid"},
        {"{\"pid\":1e999}", "pid"},
        {"{\"pid\":null}", "pid"},
        {"{\"pid\":1,\"pid\":2}", "pid"},
        {"{\"pid\":1,\"bytes\":9}", "bytes"},
        {"{\"pid\":1,\"event\":\"x\"}", "event"},
        {"{\"pid\":1,\"extra\":1}", "extra"},
        {"{\"pid\":1,\"\xff\":1}", "UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct values values = {0};
        struct reply reply = {0};
        assert_false(parse_body(cases[i].body, &values, &reply));
        assert_int_equal(reply.status, 400);
        assert_non_null(strstr(reply.blob->bytes, cases[i].mentions));
        reply_clear(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_documentation),
        cmocka_unit_test(parameters_reach_the_query),
        cmocka_unit_test(wrong_parameters_are_named),
        cmocka_unit_test(too_many_tids_are_refused),
        cmocka_unit_test(too_many_frames_are_refused),
        cmocka_unit_test(a_cursor_pins_the_range),
        cmocka_unit_test(fields_are_stored),
        cmocka_unit_test(wrong_fields_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
