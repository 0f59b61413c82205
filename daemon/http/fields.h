/* Members of a request's JSON object: a table of names, types and ranges, nothing else is taken. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/reply.h"

enum field_type { FIELD_U64, FIELD_CHOICE, FIELD_BOOL };

struct field {
    const char *name;
    enum field_type type;
    uint64_t min, max, multiple; /* FIELD_U64: multiple 0 or 1: any */
    const char *const *choices;  /* FIELD_CHOICE: NULL-terminated, constant */
    bool required;
    size_t offset; /* into the result: a uint64_t, a const char * of the choices, or a bool */
};

/*
 * Parses `body` as one JSON object with these fields and stores them at their offsets in
 * *ret_values; what is not there stays untouched. False when `reply` was made a 400 problem.
 */
bool fields_parse(const struct text *body, const struct field *fields, size_t count,
                  void *ret_values, struct reply *reply);
