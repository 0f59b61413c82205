/* The OpenAPI document says what the server does: every route, parameter, field and limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/params.h"
#include "http/route.h"
#include "world.h"

/* The document that a world serves. */
struct description {
    struct world *world;
    cJSON *document; /* owned */
};

static int set_up(void **state)
{
    static struct description description;
    void *world;
    world_set_up(&world);
    description.world = world;
    struct answer answer = client_get(description.world->port, "/api/v1/openapi.json");
    description.document = answer_json(&answer);
    answer_free(&answer);
    assert_non_null(description.document);
    *state = &description;
    return 0;
}

static int tear_down(void **state)
{
    struct description *description = *state;
    void *world = description->world;
    cJSON_Delete(description->document);
    return world_tear_down(&world);
}

/* Follows "#/a/b/c" when the item is a reference. */
static const cJSON *resolve(const cJSON *document, const cJSON *item)
{
    const cJSON *reference = cJSON_GetObjectItemCaseSensitive(item, "$ref");
    if (!reference)
        return item;
    const char *cursor = reference->valuestring + 1;
    while (*cursor == '/') {
        char key[64];
        size_t length = strcspn(++cursor, "/");
        snprintf(key, sizeof key, "%.*s", (int)length, cursor);
        document = cJSON_GetObjectItemCaseSensitive(document, key);
        assert_non_null(document);
        cursor += length;
    }
    return document;
}

static const cJSON *find_operation(const cJSON *document, const struct route *route)
{
    char method[8];
    const char *name = method_name(route->method);
    for (size_t i = 0; i <= strlen(name); i++)
        method[i] = (char)(name[i] | (name[i] ? 0x20 : 0));
    const cJSON *paths = cJSON_GetObjectItemCaseSensitive(document, "paths");
    const cJSON *path = cJSON_GetObjectItemCaseSensitive(paths, route->path);
    return cJSON_GetObjectItemCaseSensitive(path, method);
}

static bool takes(const struct route *route, const char *wanted)
{
    const char *name;
    unsigned bit;
    for (size_t i = 0; (name = params_name(i, &bit)); i++)
        if (bit & route->params && !strcmp(name, wanted))
            return true;
    return false;
}

static size_t taken_params(const struct route *route)
{
    size_t count = 0;
    unsigned bit;
    for (size_t i = 0; params_name(i, &bit); i++)
        count += (bit & route->params) != 0;
    return count;
}

/* How many query parameters are documented; the route takes each of them. */
static size_t documented_params(const cJSON *document, const cJSON *operation,
                                const struct route *route)
{
    size_t count = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(operation, "parameters"))
    {
        const cJSON *parameter = resolve(document, item);
        if (strcmp(cJSON_GetObjectItem(parameter, "in")->valuestring, "query") != 0)
            continue;
        const char *name = cJSON_GetObjectItem(parameter, "name")->valuestring;
        if (!takes(route, name))
            fail_msg("%s does not take %s", route->path, name);
        count++;
    }
    return count;
}

static void every_route_is_documented_with_its_parameters(void **state)
{
    const struct description *description = *state;
    for (size_t i = 0; i < route_count; i++) {
        const cJSON *operation = find_operation(description->document, &routes[i]);
        if (!operation)
            fail_msg("%s %s is not documented", method_name(routes[i].method), routes[i].path);
        assert_int_equal(documented_params(description->document, operation, &routes[i]),
                         taken_params(&routes[i]));
        assert_non_null(cJSON_GetObjectItem(operation, "operationId"));
    }
}

static void every_documented_operation_is_a_route(void **state)
{
    const struct description *description = *state;
    size_t operations = 0;
    const cJSON *path;
    cJSON_ArrayForEach(path, cJSON_GetObjectItem(description->document, "paths")) operations +=
        (size_t)cJSON_GetArraySize(path);
    assert_int_equal(operations, route_count);
}

static bool type_matches(const char *type, const cJSON *value)
{
    if (!strcmp(type, "integer"))
        return cJSON_IsNumber(value) && value->valuedouble == (double)(long long)value->valuedouble;
    return !strcmp(type, "object")   ? cJSON_IsObject(value)
           : !strcmp(type, "array")  ? cJSON_IsArray(value)
           : !strcmp(type, "string") ? cJSON_IsString(value)
           : !strcmp(type, "number") ? cJSON_IsNumber(value)
           : !strcmp(type, "null")   ? cJSON_IsNull(value)
                                     : !strcmp(type, "boolean") && cJSON_IsBool(value);
}

static void check_type(const cJSON *schema, const cJSON *value, const char *where)
{
    const cJSON *type = cJSON_GetObjectItem(schema, "type");
    bool good = !type || (cJSON_IsString(type) && type_matches(type->valuestring, value));
    const cJSON *choice;
    if (cJSON_IsArray(type))
        cJSON_ArrayForEach(choice, type) good |= type_matches(choice->valuestring, value);
    if (!good)
        fail_msg("%s is not of the documented type", where);
    const cJSON *values = cJSON_GetObjectItem(schema, "enum");
    good = !values;
    cJSON_ArrayForEach(choice, values) good |= cJSON_Compare(choice, value, true);
    if (!good)
        fail_msg("%s is not one of the documented values", where);
}

static void check_value(const cJSON *document, const cJSON *schema, const cJSON *value,
                        const char *where);

/* Every member must be documented, and every required one be there. */
static void check_object(const cJSON *document, const cJSON *schema, const cJSON *value,
                         const char *where)
{
    const cJSON *properties = cJSON_GetObjectItem(schema, "properties");
    const cJSON *other = cJSON_GetObjectItem(schema, "additionalProperties");
    const cJSON *item;
    char name[256];
    cJSON_ArrayForEach(item, value)
    {
        snprintf(name, sizeof name, "%.128s.%.64s", where, item->string);
        const cJSON *known = cJSON_GetObjectItemCaseSensitive(properties, item->string);
        if (!known && !cJSON_IsObject(other))
            fail_msg("%s is not documented", name);
        check_value(document, known ? known : other, item, name);
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(schema, "required"))
    {
        if (!cJSON_GetObjectItemCaseSensitive(value, item->valuestring))
            fail_msg("%s has no %s", where, item->valuestring);
    }
}

static void check_value(const cJSON *document, const cJSON *schema, const cJSON *value,
                        const char *where)
{
    schema = resolve(document, schema);
    check_type(schema, value, where);
    const cJSON *items = cJSON_GetObjectItem(schema, "items");
    const cJSON *item;
    if (cJSON_IsObject(value))
        check_object(document, schema, value, where);
    if (cJSON_IsArray(value)) {
        assert_non_null(items);
        cJSON_ArrayForEach(item, value) check_value(document, items, item, where);
    }
}

/* The path with {id} and {file} filled in. */
static void fill_path(const char *pattern, char *ret_path)
{
    static const struct {
        const char *name, *value;
    } parts[] = {{"{id}", "1"}, {"{file}", "1"}, {"{rest}", "index.html"}};
    *ret_path = '\0';
    while (*pattern) {
        size_t length = 1;
        const char *value = NULL;
        for (size_t i = 0; i < array_length(parts); i++)
            if (!strncmp(pattern, parts[i].name, strlen(parts[i].name))) {
                value = parts[i].value;
                length = strlen(parts[i].name);
            }
        strncat(ret_path, value ? value : pattern, value ? strlen(value) : 1);
        pattern += length;
    }
}

static const cJSON *response_content(const cJSON *document, const cJSON *operation, unsigned status)
{
    char key[8];
    snprintf(key, sizeof key, "%u", status);
    const cJSON *responses = cJSON_GetObjectItem(operation, "responses");
    const cJSON *response = cJSON_GetObjectItem(responses, key);
    return cJSON_GetObjectItem(resolve(document, response), "content");
}

static void check_answer(const struct description *description, const struct route *route,
                         const struct answer *answer)
{
    const cJSON *operation = find_operation(description->document, route);
    const cJSON *content = response_content(description->document, operation, answer->status);
    assert_non_null(content);
    const cJSON *media = cJSON_GetObjectItem(content, "application/json");
    if (!media || !strcmp(route->path, "/api/v1/openapi.json"))
        return;
    cJSON *value = answer_json(answer);
    assert_non_null(value);
    check_value(description->document, cJSON_GetObjectItem(media, "schema"), value, route->path);
    cJSON_Delete(value);
}

static void every_field_that_is_returned_is_documented(void **state)
{
    const struct description *description = *state;
    for (size_t i = 0; i < route_count; i++) {
        char path[256];
        if (routes[i].method != METHOD_GET || strstr(routes[i].path, "/events"))
            continue;
        fill_path(routes[i].path, path);
        struct answer answer = client_get(description->world->port, path);
        if (answer.status != 200)
            fail_msg("%s answers %u", path, answer.status);
        check_answer(description, &routes[i], &answer);
        answer_free(&answer);
    }
}

static void check_event(const struct description *description, const char *stream,
                        const char *event, const char *schema_name)
{
    char mark[64];
    snprintf(mark, sizeof mark, "event: %s\ndata: ", event);
    const char *found = strstr(stream, mark);
    assert_non_null(found);
    cJSON *value = cJSON_Parse(found + strlen(mark));
    const cJSON *schemas =
        cJSON_GetObjectItem(cJSON_GetObjectItem(description->document, "components"), "schemas");
    assert_non_null(value);
    check_value(description->document, cJSON_GetObjectItem(schemas, schema_name), value, event);
    cJSON_Delete(value);
}

/* Reads a stream until its rows, which come last, are there. */
static void check_stream(const struct description *description, const char *query, const char *rows,
                         const char *rows_schema)
{
    struct text request = {0}, stream = {0}, mark = {0};
    text_printf(&mark, "event: %s\n", rows);
    text_printf(&request, "GET /api/v1/sessions/1/events%s HTTP/1.0\r\nHost: 127.0.0.1:%u\r\n\r\n",
                query, description->world->port);
    int fd = client_connect(description->world->port);
    client_send(fd, request.bytes, request.length);
    for (const char *found = NULL; !found || !strstr(found, "\n\n");
         found = strstr(stream.bytes, mark.bytes)) {
        char piece[65536];
        ssize_t count = recv(fd, piece, sizeof piece, 0);
        assert_true(count > 0);
        text_add(&stream, piece, (size_t)count);
    }
    close(fd);
    check_event(description, stream.bytes, "session", "Session");
    check_event(description, stream.bytes, "totals", "Progress");
    check_event(description, stream.bytes, rows, rows_schema);
    text_free(&stream);
    text_free(&request);
    text_free(&mark);
}

static void events_carry_what_is_documented(void **state)
{
    const struct description *description = *state;
    check_stream(description, "", "lines", "LinesDelta");
    check_stream(description, "?file=1", "lines", "LinesDelta");
    check_stream(description, "?functions=1", "functions", "FunctionsDelta");
}

static void problems_are_as_documented(void **state)
{
    const struct description *description = *state;
    const cJSON *schemas =
        cJSON_GetObjectItem(cJSON_GetObjectItem(description->document, "components"), "schemas");
    static const char *const targets[] = {"/nope", "/api/v1/sessions/1/files/3/text",
                                          "/api/v1/sessions/1/lines?limit=0"};
    for (size_t i = 0; i < array_length(targets); i++) {
        struct answer answer = client_get(description->world->port, targets[i]);
        cJSON *problem = answer_json(&answer);
        check_value(description->document, cJSON_GetObjectItem(schemas, "Problem"), problem,
                    targets[i]);
        cJSON_Delete(problem);
        answer_free(&answer);
    }
}

static void documented_limits_are_the_real_ones(void **state)
{
    const struct description *description = *state;
    const cJSON *components = cJSON_GetObjectItem(description->document, "components");
    const cJSON *attach = cJSON_GetObjectItem(cJSON_GetObjectItem(components, "schemas"), "Attach");
    const cJSON *frequency =
        cJSON_GetObjectItem(cJSON_GetObjectItem(attach, "properties"), "frequency_hz");
    assert_int_equal(cJSON_GetObjectItem(frequency, "maximum")->valueint, SESSION_FREQUENCY_MAX_HZ);
    assert_int_equal(cJSON_GetObjectItem(frequency, "default")->valueint,
                     SESSION_FREQUENCY_DEFAULT_HZ);
    const cJSON *limit = cJSON_GetObjectItem(
        cJSON_GetObjectItem(cJSON_GetObjectItem(components, "parameters"), "limit"), "schema");
    assert_int_equal(cJSON_GetObjectItem(limit, "maximum")->valueint, PARAMS_LIMIT_MAX);
    assert_int_equal(cJSON_GetObjectItem(limit, "default")->valueint, PARAMS_LIMIT_DEFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_route_is_documented_with_its_parameters, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_documented_operation_is_a_route, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_field_that_is_returned_is_documented, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(events_carry_what_is_documented, set_up, tear_down),
        cmocka_unit_test_setup_teardown(problems_are_as_documented, set_up, tear_down),
        cmocka_unit_test_setup_teardown(documented_limits_are_the_real_ones, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
