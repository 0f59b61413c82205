/* The query parameters: a const table of names and ranges. */
#include "http/param_specs.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define TIME_MAX_NS INT64_MAX
#define STEP_MIN_NS UINT64_C(1000000)
#define STACK_RANGE "function, file:line, a;b;c or a;b;c;, up to 4096 bytes"

bool params_parse_u64(const char *value, uint64_t min, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (!*value)
        return false;
    for (; *value; value++) {
        if (*value < '0' || *value > '9')
            return false;
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*value - '0'), &number))
            return false;
    }
    if (number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

static bool parse_from(char **value, struct params *params)
{
    return params_parse_u64(*value, 0, TIME_MAX_NS, &params->from_ns);
}

static bool parse_to(char **value, struct params *params)
{
    return params_parse_u64(*value, 1, TIME_MAX_NS, &params->to_ns);
}

static bool parse_tid(char **value, struct params *params)
{
    uint64_t tid;
    if (params->tid_count == PARAMS_TIDS_MAX || !params_parse_u64(*value, 1, PARAMS_TID_MAX, &tid))
        return false;
    params->tids[params->tid_count++] = (pid_t)tid;
    return true;
}

static bool parse_metric(char **value, struct params *params)
{
    (void)params;
    return !strcmp(*value, "cpu");
}

static bool parse_sort(char **value, struct params *params)
{
    params->sort = strcmp(*value, "total") ? QUERY_SORT_SELF : QUERY_SORT_TOTAL;
    return params->sort == QUERY_SORT_TOTAL || !strcmp(*value, "self");
}

static bool parse_limit(char **value, struct params *params)
{
    uint64_t limit;
    if (!params_parse_u64(*value, 1, PARAMS_LIMIT_MAX, &limit))
        return false;
    params->limit = (size_t)limit;
    params->has_limit = true;
    return true;
}

static bool parse_cursor(char **value, struct params *params)
{
    char *dash = strchr(*value, '-');
    if (!dash)
        return false;
    *dash = '\0';
    return params_parse_u64(*value, 1, UINT32_MAX, &params->offset) &&
           params_parse_u64(dash + 1, 1, TIME_MAX_NS, &params->pinned_to_ns);
}

static bool parse_inlines(char **value, struct params *params)
{
    params->inlines = strcmp(*value, "called") ? QUERY_INLINES_WRITTEN : QUERY_INLINES_CALLED;
    return params->inlines == QUERY_INLINES_CALLED || !strcmp(*value, "written");
}

static bool parse_flag(const char *value, bool *ret_flag)
{
    if (strcmp(value, "0") && strcmp(value, "1"))
        return false;
    *ret_flag = *value == '1';
    return true;
}

static bool parse_kernel(char **value, struct params *params)
{
    bool kernel;
    if (!parse_flag(*value, &kernel))
        return false;
    params->hide_kernel = !kernel;
    return true;
}

static bool is_stack_text(const char *value)
{
    size_t length = strlen(value);
    return length > 0 && length <= PARAMS_FOCUS_MAX_BYTES;
}

static bool add_text(char **value, struct param_texts *texts)
{
    if (texts->count == PARAMS_STACKS_MAX || !is_stack_text(*value))
        return false;
    texts->items[texts->count++] = take_pointer(*value);
    return true;
}

static bool parse_focus(char **value, struct params *params)
{
    return add_text(value, &params->focus);
}

static bool parse_hide(char **value, struct params *params)
{
    return add_text(value, &params->hide);
}

static bool parse_center(char **value, struct params *params)
{
    if (!is_stack_text(*value))
        return false;
    params->center = take_pointer(*value);
    return true;
}

static bool parse_direction(char **value, struct params *params)
{
    params->has_direction = true;
    params->callers = !strcmp(*value, "callers");
    return params->callers || !strcmp(*value, "callees");
}

static bool parse_inverted(char **value, struct params *params)
{
    return parse_flag(*value, &params->inverted);
}

static bool parse_sites(char **value, struct params *params)
{
    return parse_flag(*value, &params->sites);
}

static bool parse_max_nodes(char **value, struct params *params)
{
    uint64_t nodes;
    if (!params_parse_u64(*value, 2, PARAMS_NODES_MAX, &nodes))
        return false;
    params->max_nodes = (uint32_t)nodes;
    return true;
}

static bool parse_step(char **value, struct params *params)
{
    return params_parse_u64(*value, STEP_MIN_NS, TIME_MAX_NS, &params->step_ns);
}

static bool parse_points(char **value, struct params *params)
{
    uint64_t points;
    if (!params_parse_u64(*value, 1, PARAMS_POINTS_MAX, &points))
        return false;
    params->points = (size_t)points;
    return true;
}

static bool parse_min_percent(char **value, struct params *params)
{
    if (!**value || strspn(*value, "0123456789.") != strlen(*value))
        return false;
    char *end;
    params->min_percent = strtod(*value, &end);
    return !*end && params->min_percent >= 0 && params->min_percent <= 100;
}

/* An empty one is what an empty search box sends: every row matches. */
static bool parse_filter(char **value, struct params *params)
{
    if (strlen(*value) > PARAMS_FILTER_MAX_BYTES)
        return false;
    params->filter = take_pointer(*value);
    return true;
}

static bool parse_group(char **value, struct params *params)
{
    params->by_thread = !strcmp(*value, "thread");
    return params->by_thread || !strcmp(*value, "none");
}

static bool parse_file(char **value, struct params *params)
{
    uint64_t file;
    if (!params_parse_u64(*value, 1, UINT32_MAX, &file))
        return false;
    params->file = (uint32_t)file;
    return true;
}

static bool parse_functions(char **value, struct params *params)
{
    return parse_flag(*value, &params->functions);
}

static bool parse_forget(char **value, struct params *params)
{
    return parse_flag(*value, &params->forget);
}

static bool parse_self(char **value, struct params *params)
{
    return parse_flag(*value, &params->self);
}

static bool parse_token(char **value, struct params *params)
{
    params->token = take_pointer(*value);
    return true;
}

const struct param_spec param_specs[] = {
    {"from_ns", PARAM_FROM, false, parse_from, "ns since the session's start, 0 or more"},
    {"to_ns", PARAM_TO, false, parse_to, "ns since the session's start, 1 or more"},
    {"tid", PARAM_TID, true, parse_tid, "a thread id, at most 256 times"},
    {"metric", PARAM_METRIC, false, parse_metric, "cpu"},
    {"sort", PARAM_SORT, false, parse_sort, "self or total"},
    {"limit", PARAM_LIMIT, false, parse_limit, "1 to 10000"},
    {"cursor", PARAM_CURSOR, false, parse_cursor, "the next_cursor of an earlier answer"},
    {"inlines", PARAM_INLINES, false, parse_inlines, "written or called"},
    {"kernel", PARAM_KERNEL, false, parse_kernel, "0 or 1"},
    {"focus", PARAM_FOCUS, true, parse_focus, STACK_RANGE ", at most 16 times"},
    {"hide", PARAM_HIDE, true, parse_hide, STACK_RANGE ", at most 16 times"},
    {"step_ns", PARAM_STEP, false, parse_step, "1000000 (1 ms) or more"},
    {"points", PARAM_POINTS, false, parse_points, "1 to 10000"},
    {"min_percent", PARAM_MIN_PERCENT, false, parse_min_percent, "0 to 100"},
    {"max_nodes", PARAM_MAX_NODES, false, parse_max_nodes, "2 to 1000000"},
    {"center", PARAM_CENTER, false, parse_center, "function or file:line, up to 4096 bytes"},
    {"direction", PARAM_DIRECTION, false, parse_direction, "callees or callers"},
    {"inverted", PARAM_INVERTED, false, parse_inverted, "0 or 1"},
    {"sites", PARAM_SITES, false, parse_sites, "0 or 1"},
    {"filter", PARAM_FILTER, false, parse_filter, "up to 256 bytes"},
    {"group", PARAM_GROUP, false, parse_group, "none or thread"},
    {"file", PARAM_FILE, false, parse_file, "the id of a file"},
    {"functions", PARAM_FUNCTIONS, false, parse_functions, "0 or 1"},
    {"forget", PARAM_FORGET, false, parse_forget, "0 or 1"},
    {"token", PARAM_TOKEN, false, parse_token, "the token"},
    {"self", PARAM_SELF, false, parse_self, "0 or 1"},
    {"a", PARAM_DIFF, false, params_diff_a, "a session's id, or current"},
    {"b", PARAM_DIFF, false, params_diff_b, "a session's id, or current"},
    {"a_from_ns", PARAM_DIFF, false, params_diff_a_from, "ns since a's start, 0 or more"},
    {"a_to_ns", PARAM_DIFF, false, params_diff_a_to, "ns since a's start, 1 or more"},
    {"b_from_ns", PARAM_DIFF, false, params_diff_b_from, "ns since b's start, 0 or more"},
    {"b_to_ns", PARAM_DIFF, false, params_diff_b_to, "ns since b's start, 1 or more"},
    {"a_tid", PARAM_DIFF, true, params_diff_a_tid, "a thread id, at most 256 times"},
    {"b_tid", PARAM_DIFF, true, params_diff_b_tid, "a thread id, at most 256 times"},
    {"a_focus", PARAM_DIFF, false, params_diff_a_focus, STACK_RANGE},
    {"b_focus", PARAM_DIFF, false, params_diff_b_focus, STACK_RANGE},
    {"kind", PARAM_DIFF, false, params_diff_kind, "lines or functions"},
    {"share", PARAM_DIFF, false, params_diff_share, "self or total"},
    {"sort", PARAM_DIFF, false, params_diff_sort, "delta, a, b or p"},
    {"file", PARAM_DIFF, false, params_diff_file, "the id of a file of b"},
    {"offset", PARAM_DIFF, false, params_diff_offset, "the number of rows to skip"},
};
const size_t param_spec_count = array_length(param_specs);
_Static_assert(array_length(param_specs) <= PARAM_SPECS_MAX, "a request marks each");
