/* The text report of a comparison of sessions in a running lprofd, or of two files. */
#include "cli/remote_diff.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/client.h"
#include "cli/members.h"
#include "cli/report_diff.h"

static const char *const side_names[] = {"a", "b"};

static bool same_origin(const char *left, const char *right)
{
    size_t length = (size_t)(client_url_rest(left) - left);
    return length == (size_t)(client_url_rest(right) - right) && strncmp(left, right, length) == 0;
}

/* What a URL may say of its side, as the diff takes it: "&a_from_ns=..." */
static int add_query(struct text *target, const char *side, const char *query,
                     struct failure *failure)
{
    static const char *const names[] = {"from_ns=", "to_ns=", "tid=", "focus="};
    while (*query) {
        size_t length = strcspn(query, "&#");
        bool known = length == 0;
        for (size_t i = 0; i < array_length(names); i++)
            known |= strncmp(query, names[i], strlen(names[i])) == 0;
        if (!known)
            return failure_set(failure, -EINVAL,
                               "'%.*s' of a URL is not known: from_ns, to_ns, tid and focus are",
                               (int)(length < 100 ? length : 100), query);
        if (length)
            text_printf(target, "&%s_%.*s", side, (int)length, query);
        query += length + (query[length] == '&');
        if (*query == '#')
            break;
    }
    return 0;
}

/* "&a=ID" and the rest of what the URL asks for. */
static int add_side(struct text *target, const char *side, const char *url, struct failure *failure)
{
    static const char sessions[] = "/api/v1/sessions/";
    const char *path = client_url_rest(url);
    size_t length = strcspn(path, "?#");
    const char *id = path + sizeof sessions - 1;
    size_t digits = 0;
    if (strncmp(path, sessions, sizeof sessions - 1) == 0)
        while (isdigit((unsigned char)id[digits]))
            digits++;
    bool has_id = digits > 0 && digits <= 10 && id + digits == path + length;
    /* Behind a '#' the page says what it shows: another session, perhaps. */
    if ((length > 1 && !has_id) || path[length] == '#')
        return failure_set(failure, -EINVAL,
                           "%s is no session: http://HOST:PORT%sID is one, http://HOST:PORT the "
                           "newest",
                           url, sessions);
    text_printf(target, "&%s=%.*s", side, has_id ? (int)digits : 7, has_id ? id : "current");
    return path[length] == '?' ? add_query(target, side, path + length + 1, failure) : 0;
}

static int make_target(const struct remote_diff *diff, struct text *target, struct failure *failure)
{
    text_printf(target, "/api/v1/diff?kind=%s&share=%s&limit=%u",
                diff->functions ? "functions" : "lines", diff->by_total ? "total" : "self",
                diff->limit);
    int error = 0;
    if (diff->origin->registry)
        text_add_string(target, "&a=1&b=2");
    for (size_t i = 0; i < array_length(side_names) && !diff->origin->registry && !error; i++)
        error = add_side(target, side_names[i], diff->urls[i], failure);
    if (!error && target->failed)
        error = failure_set(failure, -ENOMEM, "out of memory");
    return error;
}

/* 'a', 'b', or 0 for both. */
static char only_side(const char *presence)
{
    for (size_t i = 0; i < array_length(side_names); i++)
        if (strcmp(presence, side_names[i]) == 0)
            return *side_names[i];
    return '\0';
}

static struct report_diff_row make_row(const cJSON *row, bool by_total)
{
    const cJSON *a = member(row, "a"), *b = member(row, "b");
    const char *share = by_total ? "total_percent" : "self_percent";
    const char *alignment = member_string(row, "alignment");
    const char *path = member_string(b, "path");
    return (struct report_diff_row){
        .path = *path ? path : member_string(a, "path"),
        .function = member_string(row, "function"),
        .module = member_string(row, "module"),
        .a_line = (uint32_t)member_u64(a, "line"),
        .b_line = (uint32_t)member_u64(b, "line"),
        .a_percent = member_number(a, share),
        .b_percent = member_number(b, share),
        .delta = member_number(row, "delta_percent"),
        .low = member_number(row, "delta_low"),
        .high = member_number(row, "delta_high"),
        .significant = cJSON_IsTrue(member(row, "significant")),
        .is_guess = strcmp(alignment, "function") == 0 || strcmp(alignment, "number") == 0,
        .only = only_side(member_string(row, "presence")),
    };
}

static struct report_diff_side make_side(const cJSON *side, const cJSON *session, const char *file)
{
    return (struct report_diff_side){
        .command = member_string(session, "command"),
        .file = file,
        .session = (uint32_t)member_u64(side, "session"),
        .from_ns = member_u64(side, "from_ns"),
        .to_ns = member_u64(side, "to_ns"),
        .samples = member_u64(member(side, "total"), "hits"),
        .time_ns = member_u64(member(side, "total"), "time_ns"),
        .unknown_percent = member_number(member(side, "unknown"), "self_percent"),
    };
}

static int print(const struct remote_diff *diff, const cJSON *document,
                 const cJSON *const sessions[2], FILE *out)
{
    const cJSON *items = member(document, "rows"), *item;
    _cleanup_free_ struct report_diff_row *rows =
        calloc((size_t)cJSON_GetArraySize(items) + 1, sizeof *rows);
    if (!rows)
        return -ENOMEM;
    struct report_diff report = {
        .rows = rows,
        .all = (size_t)member_u64(document, "count"),
        .significant = (size_t)member_u64(document, "significant"),
        .functions = diff->functions,
        .by_total = diff->by_total,
    };
    cJSON_ArrayForEach(item, items) rows[report.count++] = make_row(item, diff->by_total);
    for (size_t i = 0; i < array_length(side_names); i++)
        report.sides[i] = make_side(member(document, side_names[i]), sessions[i],
                                    diff->origin->registry ? diff->urls[i] : NULL);
    struct report_style style = report_style_of(out);
    report_diff(out, &style, &report);
    return 0;
}

int remote_diff_print(const struct remote_diff *diff, FILE *out, struct failure *ret_failure)
{
    _cleanup_text_ struct text target = {0};
    _cleanup_json_ cJSON *document = NULL;
    _cleanup_json_ cJSON *a = NULL;
    _cleanup_json_ cJSON *b = NULL;
    if (!diff->origin->registry && !same_origin(diff->urls[0], diff->urls[1]))
        return failure_set(ret_failure, -EINVAL,
                           "sessions of different daemons cannot be compared: %s and %s",
                           diff->urls[0], diff->urls[1]);
    int error = make_target(diff, &target, ret_failure);
    if (!error)
        error = origin_get_json(diff->origin, target.bytes, &document, ret_failure);
    cJSON **const sessions[] = {&a, &b};
    for (size_t i = 0; i < array_length(side_names) && !error; i++) {
        char path[64];
        snprintf(path, sizeof path, "/api/v1/sessions/%u",
                 (unsigned)member_u64(member(document, side_names[i]), "session"));
        error = origin_get_json(diff->origin, path, sessions[i], ret_failure);
    }
    if (!error && print(diff, document, (const cJSON *const[]){a, b}, out))
        error = failure_set(ret_failure, -ENOMEM, "out of memory");
    return error;
}
