/* Query parameters: taking a query string apart. */
#include "http/params.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "base/cleanup.h"
#include "http/param_specs.h"
#include "http/percent.h"

const char *params_name(size_t index, unsigned *ret_bit)
{
    if (index >= param_spec_count)
        return NULL;
    *ret_bit = param_specs[index].bit;
    return param_specs[index].name;
}

static const struct param_spec *find_spec(const char *name, unsigned allowed)
{
    for (size_t i = 0; i < param_spec_count; i++)
        if (param_specs[i].bit & allowed && !strcmp(param_specs[i].name, name))
            return &param_specs[i];
    return NULL;
}

/* What the route does take, for people. */
static void list_names(unsigned allowed, struct text *text)
{
    for (size_t i = 0; i < param_spec_count; i++)
        if (param_specs[i].bit & allowed)
            text_printf(text, "%s%s", text->length ? ", " : "", param_specs[i].name);
    if (!text->length)
        text_add_string(text, "none");
}

static bool refuse_unknown(struct reply *reply, const char *name, unsigned allowed)
{
    _cleanup_text_ struct text names = {0};
    list_names(allowed, &names);
    reply_problem(reply, MHD_HTTP_BAD_REQUEST, "Unknown query parameter",
                  "There is no query parameter '%.100s' here; known: %s.", name,
                  names.bytes ? names.bytes : "");
    return false;
}

static bool parse_one(const char *pair, size_t length, unsigned allowed, bool *seen,
                      struct params *params, struct reply *reply)
{
    const char *equals = memchr(pair, '=', length);
    size_t name_length = equals ? (size_t)(equals - pair) : length;
    _cleanup_free_ char *name = NULL;
    _cleanup_free_ char *value = NULL;
    if (percent_decode(pair, name_length, true, &name) ||
        percent_decode(equals ? equals + 1 : "", equals ? length - name_length - 1 : 0, true,
                       &value)) {
        reply_problem(reply, MHD_HTTP_BAD_REQUEST, "Malformed query",
                      "The query string has a %% that is not followed by two hexadecimal digits, "
                      "or a NUL.");
        return false;
    }
    const struct param_spec *spec = find_spec(name, allowed);
    if (!spec)
        return refuse_unknown(reply, name, allowed);
    if (seen[spec - param_specs] && !spec->repeatable) {
        reply_problem(reply, MHD_HTTP_BAD_REQUEST, "Repeated query parameter",
                      "The query parameter '%s' may be given only once.", spec->name);
        return false;
    }
    seen[spec - param_specs] = true;
    if (!spec->parse(&value, params)) {
        reply_problem(reply, MHD_HTTP_BAD_REQUEST, "Query parameter out of range",
                      "The query parameter '%s' must be: %s.", spec->name, spec->range);
        return false;
    }
    return true;
}

/* What no parameter alone can be wrong about. */
static bool check_together(const struct params *params, struct reply *reply)
{
    if (params->to_ns && params->to_ns <= params->from_ns) {
        reply_problem(reply, MHD_HTTP_BAD_REQUEST, "Empty range", "to_ns must be after from_ns.");
        return false;
    }
    if (params->file && params->functions) {
        reply_problem(reply, MHD_HTTP_BAD_REQUEST, "Contradicting query parameters",
                      "A stream shows the lines of a file, or functions.");
        return false;
    }
    if ((params->center && params->inverted) || (!params->center && params->has_direction)) {
        reply_problem(reply, MHD_HTTP_BAD_REQUEST, "Contradicting query parameters",
                      "direction belongs to center, and inverted to a graph without one.");
        return false;
    }
    return true;
}

bool params_parse(const char *query, unsigned allowed, struct params *ret_params,
                  struct reply *reply)
{
    struct params params = {.limit = PARAMS_LIMIT_DEFAULT, .min_percent = 0.1};
    bool seen[PARAM_SPECS_MAX] = {0};
    bool good = true;
    while (good && *query) {
        size_t length = strcspn(query, "&");
        if (length)
            good = parse_one(query, length, allowed, seen, &params, reply);
        query += length + (query[length] == '&');
    }
    good = good && check_together(&params, reply);
    if (!good) {
        params_free(&params);
        return false;
    }
    *ret_params = params;
    return true;
}

static void free_texts(struct param_texts *texts)
{
    while (texts->count)
        free(texts->items[--texts->count]);
}

void params_free(struct params *params)
{
    free_texts(&params->focus);
    free_texts(&params->hide);
    free(params->center);
    free(params->filter);
    free(params->token);
    params_diff_clear(&params->diff);
    params->center = params->filter = params->token = NULL;
}

struct query_options params_query_options(const struct params *params)
{
    return (struct query_options){
        .from_ns = params->from_ns,
        .to_ns = params->pinned_to_ns ? params->pinned_to_ns : params->to_ns,
        .tids = params->tids,
        .tid_count = params->tid_count,
        .sort = params->sort,
        .inlines = params->inlines,
        .hide_kernel = params->hide_kernel,
        .focus = (const char *const *)params->focus.items,
        .focus_count = params->focus.count,
        .hide = (const char *const *)params->hide.items,
        .hide_count = params->hide.count,
    };
}

void cursor_format(uint64_t offset, uint64_t to_ns, char ret_cursor[static CURSOR_BYTES])
{
    snprintf(ret_cursor, CURSOR_BYTES, "%" PRIu64 "-%" PRIu64, offset, to_ns);
}
