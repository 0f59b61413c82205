/* Members of JSON documents. Missing ones read as "" and 0: the daemon may be older or newer. */
#pragma once

#include <stdint.h>

#include <cjson/cJSON.h>

static inline const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static inline const char *member_string(const cJSON *object, const char *name)
{
    const char *string = cJSON_GetStringValue(member(object, name));
    return string ? string : "";
}

static inline double member_number(const cJSON *object, const char *name)
{
    const cJSON *item = member(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static inline uint64_t member_u64(const cJSON *object, const char *name)
{
    double number = member_number(object, name);
    return number > 0 && number < 1.8e19 ? (uint64_t)number : 0;
}

static inline void delete_json(cJSON **document)
{
    cJSON_Delete(*document);
}

#define _cleanup_json_ __attribute__((cleanup(delete_json)))
