/* JSON documents by cJSON. */
#include "http/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/utf8.h"

/* cJSON refuses to print a document that contains an invalid item. Its flags say what it owns. */
static void spoil(cJSON *document)
{
    if (document)
        document->type = (document->type & ~0xff) | cJSON_Invalid;
}

static void add(cJSON *object, const char *key, cJSON *value)
{
    if (!object || !value || !cJSON_AddItemToObjectCS(object, key, value)) {
        cJSON_Delete(value);
        spoil(object);
    }
}

static void append(cJSON *array, cJSON *value)
{
    if (!array || !value || !cJSON_AddItemToArray(array, value)) {
        cJSON_Delete(value);
        spoil(array);
    }
}

static cJSON *create_string(const char *value)
{
    size_t length = strlen(value);
    if (utf8_valid(value, length))
        return cJSON_CreateString(value);
    _cleanup_text_ struct text clean = {0};
    utf8_add(&clean, value, length);
    return clean.failed ? NULL : cJSON_CreateString(clean.bytes);
}

void json_add_string(cJSON *object, const char *key, const char *value)
{
    add(object, key, create_string(value ? value : ""));
}

void json_add_u64(cJSON *object, const char *key, uint64_t value)
{
    add(object, key, cJSON_CreateNumber((double)value));
}

void json_add_double(cJSON *object, const char *key, double value)
{
    add(object, key, cJSON_CreateNumber(isfinite(value) ? round(value * 1e4) / 1e4 : 0));
}

void json_add_bool(cJSON *object, const char *key, bool value)
{
    add(object, key, cJSON_CreateBool(value));
}

void json_add_null(cJSON *object, const char *key)
{
    add(object, key, cJSON_CreateNull());
}

void json_add_raw(cJSON *object, const char *key, const struct text *raw)
{
    add(object, key, raw->failed || !raw->bytes ? NULL : cJSON_CreateRaw(raw->bytes));
}

cJSON *json_add_object(cJSON *object, const char *key)
{
    cJSON *value = object ? cJSON_CreateObject() : NULL;
    if (!value || !cJSON_AddItemToObjectCS(object, key, value)) {
        cJSON_Delete(value);
        spoil(object);
        return NULL;
    }
    return value;
}

cJSON *json_add_array(cJSON *object, const char *key)
{
    cJSON *value = object ? cJSON_CreateArray() : NULL;
    if (!value || !cJSON_AddItemToObjectCS(object, key, value)) {
        cJSON_Delete(value);
        spoil(object);
        return NULL;
    }
    return value;
}

cJSON *json_append_object(cJSON *array)
{
    cJSON *value = array ? cJSON_CreateObject() : NULL;
    if (!value || !cJSON_AddItemToArray(array, value)) {
        cJSON_Delete(value);
        spoil(array);
        return NULL;
    }
    return value;
}

void json_append_string(cJSON *array, const char *value)
{
    append(array, create_string(value ? value : ""));
}

static void text_escape(struct text *text, unsigned char byte)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *form = short_forms; *form; form += 2)
        if ((unsigned char)form[0] == byte) {
            text_add(text, "\\", 1);
            text_add(text, form + 1, 1);
            return;
        }
    text_printf(text, "\\u%04x", byte);
}

static void text_quote(struct text *text, const char *value, size_t length)
{
    text_add(text, "\"", 1);
    for (size_t start = 0, i = 0; i <= length; i++) {
        unsigned char byte = i < length ? (unsigned char)value[i] : 0;
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        text_add(text, value + start, i - start);
        if (i < length)
            text_escape(text, byte);
        start = i + 1;
    }
    text_add(text, "\"", 1);
}

void json_text_string(struct text *text, const char *value)
{
    size_t length = strlen(value);
    if (utf8_valid(value, length)) {
        text_quote(text, value, length);
        return;
    }
    _cleanup_text_ struct text clean = {0};
    utf8_add(&clean, value, length);
    if (clean.failed)
        text->failed = true;
    else
        text_quote(text, clean.bytes, clean.length);
}

void json_text_u64(struct text *text, uint64_t value, bool comma)
{
    char digits[24];
    char *cursor = digits + sizeof digits;
    do
        *--cursor = (char)('0' + value % 10);
    while (value /= 10);
    if (comma)
        *--cursor = ',';
    text_add(text, cursor, (size_t)(digits + sizeof digits - cursor));
}

void json_add_u64_column(cJSON *object, const char *key, const uint64_t *values, size_t count)
{
    _cleanup_text_ struct text numbers = {0};
    text_add(&numbers, "[", 1);
    for (size_t i = 0; i < count; i++)
        json_text_u64(&numbers, values[i], i > 0);
    text_add(&numbers, "]", 1);
    json_add_raw(object, key, &numbers);
}

int json_print(const cJSON *document, struct text *ret_text)
{
    char *printed = document ? cJSON_PrintUnformatted(document) : NULL;
    if (!printed)
        return -ENOMEM;
    size_t length = strlen(printed);
    *ret_text = (struct text){.bytes = printed, .length = length, .capacity = length + 1};
    return 0;
}
