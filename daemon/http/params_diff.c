/* Query parameters of comparisons. */
#include "http/params_diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/params.h"

static bool parse_session(const char *value, struct params_side *side)
{
    uint64_t id = 0;
    if (strcmp(value, "current") != 0 && !params_parse_u64(value, 1, UINT32_MAX, &id))
        return false;
    side->session = (uint32_t)id;
    return true;
}

static bool parse_tid(const char *value, struct params_side *side)
{
    uint64_t tid;
    if (side->tid_count == PARAMS_TIDS_MAX || !params_parse_u64(value, 1, PARAMS_TID_MAX, &tid))
        return false;
    side->tids[side->tid_count++] = (pid_t)tid;
    return true;
}

static bool parse_focus(char **value, struct params_side *side)
{
    size_t length = strlen(*value);
    if (!length || length > PARAMS_FOCUS_MAX_BYTES)
        return false;
    side->focus = take_pointer(*value);
    return true;
}

bool params_diff_a(char **value, struct params *params)
{
    return parse_session(*value, &params->diff.sides[DIFF_A]);
}

bool params_diff_b(char **value, struct params *params)
{
    return parse_session(*value, &params->diff.sides[DIFF_B]);
}

bool params_diff_a_from(char **value, struct params *params)
{
    return params_parse_u64(*value, 0, INT64_MAX, &params->diff.sides[DIFF_A].from_ns);
}

bool params_diff_b_from(char **value, struct params *params)
{
    return params_parse_u64(*value, 0, INT64_MAX, &params->diff.sides[DIFF_B].from_ns);
}

bool params_diff_a_to(char **value, struct params *params)
{
    return params_parse_u64(*value, 1, INT64_MAX, &params->diff.sides[DIFF_A].to_ns);
}

bool params_diff_b_to(char **value, struct params *params)
{
    return params_parse_u64(*value, 1, INT64_MAX, &params->diff.sides[DIFF_B].to_ns);
}

bool params_diff_a_tid(char **value, struct params *params)
{
    return parse_tid(*value, &params->diff.sides[DIFF_A]);
}

bool params_diff_b_tid(char **value, struct params *params)
{
    return parse_tid(*value, &params->diff.sides[DIFF_B]);
}

bool params_diff_a_focus(char **value, struct params *params)
{
    return parse_focus(value, &params->diff.sides[DIFF_A]);
}

bool params_diff_b_focus(char **value, struct params *params)
{
    return parse_focus(value, &params->diff.sides[DIFF_B]);
}

/* The position of the value in a list that ends with NULL; false when it is not there. */
static bool parse_choice(const char *value, const char *const *choices, int *ret_choice)
{
    for (int i = 0; choices[i]; i++) {
        if (strcmp(choices[i], value) != 0)
            continue;
        *ret_choice = i;
        return true;
    }
    return false;
}

bool params_diff_kind(char **value, struct params *params)
{
    static const char *const kinds[] = {
        [DIFF_LINES] = "lines", [DIFF_FUNCTIONS] = "functions", NULL};
    int kind = 0;
    bool known = parse_choice(*value, kinds, &kind);
    params->diff.kind = (enum diff_kind)kind;
    return known;
}

bool params_diff_sort(char **value, struct params *params)
{
    static const char *const sorts[] = {[DIFF_SORT_DELTA] = "delta",
                                        [DIFF_SORT_A] = "a",
                                        [DIFF_SORT_B] = "b",
                                        [DIFF_SORT_P] = "p",
                                        NULL};
    int sort = 0;
    bool known = parse_choice(*value, sorts, &sort);
    params->diff.sort = (enum diff_sort)sort;
    return known;
}

bool params_diff_share(char **value, struct params *params)
{
    static const char *const shares[] = {
        [QUERY_SORT_SELF] = "self", [QUERY_SORT_TOTAL] = "total", NULL};
    int share = 0;
    bool known = parse_choice(*value, shares, &share);
    params->diff.share = (enum query_sort)share;
    return known;
}

bool params_diff_file(char **value, struct params *params)
{
    uint64_t file;
    if (!params_parse_u64(*value, 1, UINT32_MAX, &file))
        return false;
    params->diff.file = (uint32_t)file;
    return true;
}

bool params_diff_offset(char **value, struct params *params)
{
    return params_parse_u64(*value, 0, UINT32_MAX, &params->diff.offset);
}

void params_diff_clear(struct params_diff *diff)
{
    for (int side = 0; side < DIFF_SIDES; side++) {
        free(diff->sides[side].focus);
        diff->sides[side].focus = NULL;
    }
}

struct query_options params_diff_options(const struct params *params, enum diff_side side,
                                         struct params_diff_focus *ret_focus)
{
    const struct params_side *asked = &params->diff.sides[side];
    size_t count = 0;
    for (; count < params->focus.count; count++)
        ret_focus->items[count] = params->focus.items[count];
    if (asked->focus)
        ret_focus->items[count++] = asked->focus;
    return (struct query_options){
        .from_ns = asked->from_ns,
        .to_ns = asked->to_ns,
        .tids = asked->tids,
        .tid_count = asked->tid_count,
        .sort = params->diff.share,
        .inlines = params->inlines,
        .hide_kernel = params->hide_kernel,
        .focus = ret_focus->items,
        .focus_count = count,
        .hide = (const char *const *)params->hide.items,
        .hide_count = params->hide.count,
    };
}
