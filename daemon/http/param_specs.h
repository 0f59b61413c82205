/* The query parameters: a const table of names and ranges. */
#pragma once

#include "http/params.h"

/* Parses `value`; false when it is out of range. Takes *value over by setting it to NULL. */
typedef bool parse_fn(char **value, struct params *params);

struct param_spec {
    const char *name;
    enum param bit;
    bool repeatable;
    parse_fn *parse;
    const char *range; /* what is accepted, for people */
};

#define PARAM_SPECS_MAX 64

extern const struct param_spec param_specs[];
extern const size_t param_spec_count;
