/* Members of a request's JSON object. */
#include "http/fields.h"

#include <math.h>
#include <string.h>

#include <microhttpd.h>

#include "base/cleanup.h"
#include "http/json.h"
#include "http/utf8.h"

#define FIELDS_MAX 32
#define EXACT_INTEGER_MAX 9007199254740992.0 /* 2^53: all that a double holds exactly */

static bool refuse(struct reply *reply, const char *what, const char *name, const char *why)
{
    reply_problem(reply, MHD_HTTP_BAD_REQUEST, "Invalid request body", "%s%.100s%s.", what, name,
                  why);
    return false;
}

static bool store_u64(const struct field *field, const cJSON *item, void *values)
{
    double number = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(number >= 0 && number <= EXACT_INTEGER_MAX) || number != floor(number))
        return false;
    uint64_t integer = (uint64_t)number;
    if (integer < field->min || integer > field->max ||
        (field->multiple > 1 && integer % field->multiple))
        return false;
    memcpy((char *)values + field->offset, &integer, sizeof integer);
    return true;
}

static bool store_choice(const struct field *field, const cJSON *item, void *values)
{
    if (!cJSON_IsString(item))
        return false;
    for (const char *const *choice = field->choices; *choice; choice++)
        if (!strcmp(*choice, item->valuestring)) {
            memcpy((char *)values + field->offset, choice, sizeof *choice);
            return true;
        }
    return false;
}

static bool store_bool(const struct field *field, const cJSON *item, void *values)
{
    bool value = cJSON_IsTrue(item);
    if (!cJSON_IsBool(item))
        return false;
    memcpy((char *)values + field->offset, &value, sizeof value);
    return true;
}

static bool store_value(const struct field *field, const cJSON *item, void *values)
{
    switch (field->type) {
    case FIELD_U64:
        return store_u64(field, item, values);
    case FIELD_CHOICE:
        return store_choice(field, item, values);
    case FIELD_BOOL:
        return store_bool(field, item, values);
    }
    return false;
}

static void describe_range(const struct field *field, struct text *text)
{
    if (field->type == FIELD_U64) {
        text_printf(text, "an integer from %llu to %llu", (unsigned long long)field->min,
                    (unsigned long long)field->max);
        if (field->multiple > 1)
            text_printf(text, ", a multiple of %llu", (unsigned long long)field->multiple);
        return;
    }
    if (field->type == FIELD_BOOL) {
        text_add_string(text, "true or false");
        return;
    }
    text_add_string(text, "one of");
    for (const char *const *choice = field->choices; *choice; choice++)
        text_printf(text, " \"%s\"", *choice);
}

static bool refuse_value(const struct field *field, struct reply *reply)
{
    _cleanup_text_ struct text range = {0};
    text_add_string(&range, " must be ");
    describe_range(field, &range);
    return refuse(reply, "The field ", field->name, range.bytes ? range.bytes : "");
}

static bool store(const cJSON *item, const struct field *fields, size_t count, unsigned *seen,
                  void *values, struct reply *reply)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, item->string))
            continue;
        if (*seen & 1u << i)
            return refuse(reply, "The field ", item->string, " is there twice");
        *seen |= 1u << i;
        return store_value(&fields[i], item, values) || refuse_value(&fields[i], reply);
    }
    return refuse(reply, "There is no field ", item->string, " here");
}

bool fields_parse(const struct text *body, const struct field *fields, size_t count,
                  void *ret_values, struct reply *reply)
{
    const char *bytes = body->bytes ? body->bytes : "";
    if (!utf8_valid(bytes, body->length))
        return refuse(reply, "The body is not UTF-8", "", "");
    _cleanup_json_ cJSON *document = cJSON_ParseWithOpts(bytes, NULL, true);
    if (!cJSON_IsObject(document))
        return refuse(reply, "The body must be one JSON object", "", "");
    unsigned seen = 0;
    for (const cJSON *item = document->child; item; item = item->next)
        if (!store(item, fields, count < FIELDS_MAX ? count : FIELDS_MAX, &seen, ret_values, reply))
            return false;
    for (size_t i = 0; i < count; i++)
        if (fields[i].required && !(seen & 1u << i))
            return refuse(reply, "The field ", fields[i].name, " is missing");
    return true;
}
