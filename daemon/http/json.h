/*
 * JSON documents by cJSON. An allocation that fails spoils the document it belongs to, so that
 * callers check once, when they print it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/text.h"

static inline void json_free(cJSON **document)
{
    cJSON_Delete(*document);
}

#define _cleanup_json_ __attribute__((cleanup(json_free)))

/* All keys are string constants. Strings may be any bytes: ill-formed UTF-8 is replaced. */
void json_add_string(cJSON *object, const char *key, const char *value);
void json_add_u64(cJSON *object, const char *key, uint64_t value);
/* An array of numbers. */
void json_add_u64_column(cJSON *object, const char *key, const uint64_t *values, size_t count);
void json_add_double(cJSON *object, const char *key, double value); /* four decimals */
void json_add_bool(cJSON *object, const char *key, bool value);
void json_add_null(cJSON *object, const char *key);
/* Raw JSON text, copied. */
void json_add_raw(cJSON *object, const char *key, const struct text *raw);
/* The new member, or NULL: all functions here accept a NULL object. */
cJSON *json_add_object(cJSON *object, const char *key);
cJSON *json_add_array(cJSON *object, const char *key);
cJSON *json_append_object(cJSON *array);
void json_append_string(cJSON *array, const char *value);

/* Adds `value` as a JSON string to raw text that is being built. */
void json_text_string(struct text *text, const char *value);

/* Adds a number to raw text, after a comma if `comma`. */
void json_text_u64(struct text *text, uint64_t value, bool comma);

/* Prints on one line; frees nothing. 0 or -ENOMEM. */
int json_print(const cJSON *document, struct text *ret_text);
