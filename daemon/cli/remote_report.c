/* The text report of a session in a running lprofd or in a file. */
#include "cli/remote_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/members.h"
#include "cli/report.h"

#define PATH_BYTES 128
#define REASONS_MAX 16
#define WARNINGS_MAX 64

/* "/api/v1/sessions/ID" with `tail` behind it. */
static void session_path(const struct remote_report *report, const char *tail,
                         char ret_path[static PATH_BYTES])
{
    if (report->session)
        snprintf(ret_path, PATH_BYTES, "/api/v1/sessions/%u%s", report->session, tail);
    else
        snprintf(ret_path, PATH_BYTES, "/api/v1/sessions/current%s", tail);
}

static int fetch(const struct remote_report *report, const char *tail, cJSON **ret_document,
                 struct failure *failure)
{
    char path[PATH_BYTES];
    session_path(report, tail, path);
    return origin_get_json(report->origin, path, ret_document, failure);
}

static void print_session(const cJSON *session, const struct report_style *style, FILE *out)
{
    const cJSON *samples = member(session, "samples");
    report_session(out, style,
                   &(struct report_session){
                       .command = member_string(session, "command"),
                       .pid = (pid_t)member_u64(session, "pid"),
                       .threads = (uint32_t)member_u64(session, "threads_seen"),
                       .duration_ns = member_u64(session, "duration_ns"),
                       .accounted_ns = member_u64(member(session, "time"), "accounted_ns"),
                       .unsampled_ns = member_u64(member(session, "time"), "unsampled_ns"),
                       .samples = member_u64(samples, "total"),
                       .lost = member_u64(samples, "lost"),
                       .throttled = member_u64(samples, "throttled"),
                       .truncated_stacks = member_u64(samples, "truncated_stacks"),
                       .unwound_to_root = member_u64(samples, "unwound_to_root"),
                       .backend = member_string(session, "backend"),
                       .event = member_string(session, "event"),
                       .frequency_hz = (uint32_t)member_u64(session, "frequency_hz"),
                   });
}

static struct report_row make_row(const cJSON *row)
{
    return (struct report_row){
        .path = member_string(row, "path"),
        .line = (uint32_t)member_u64(row, "line"),
        .function = member_string(row, "function"),
        .module = member_string(row, "module"),
        .self_percent = member_number(row, "self_percent"),
        .total_percent = member_number(row, "total_percent"),
        .percent_low = member_number(row, "percent_low"),
        .percent_high = member_number(row, "percent_high"),
        .self_time_ns = member_u64(row, "self_time_ns"),
        .total_time_ns = member_u64(row, "total_time_ns"),
    };
}

/* Of lines or functions. `sampled_only`: those with samples of their own, if there are any. */
static int print_rows(const struct remote_report *report, const cJSON *document, bool sampled_only,
                      const struct report_style *style, FILE *out)
{
    const cJSON *functions = member(document, "functions"), *item;
    const cJSON *items = functions ? functions : member(document, "lines");
    int length = cJSON_GetArraySize(items);
    size_t count = 0;
    _cleanup_free_ struct report_row *rows = calloc((size_t)length + 1, sizeof *rows);
    if (!rows)
        return -ENOMEM;
    cJSON_ArrayForEach(item, items)
    {
        if (!sampled_only || member_u64(item, "self_hits"))
            rows[count++] = make_row(item);
    }
    uint64_t all = member_u64(document, "count");
    struct report_table table = {.rows = rows,
                                 .count = count,
                                 .more = all > count ? (size_t)(all - count) : 0,
                                 .by_total = report->by_total};
    if (functions)
        report_functions(out, style, &table);
    else if (count || !sampled_only)
        report_lines(out, style, &table);
    return 0;
}

static struct report_unknown read_unknown(const cJSON *lines,
                                          struct report_reason reasons[static REASONS_MAX])
{
    const cJSON *unknown = member(lines, "unknown"), *reason;
    size_t count = 0;
    cJSON_ArrayForEach(reason, member(unknown, "reasons"))
    {
        if (count < REASONS_MAX && reason->string && cJSON_IsNumber(reason))
            reasons[count++] =
                (struct report_reason){reason->string, (uint64_t)reason->valuedouble};
    }
    return (struct report_unknown){
        .self_percent = member_number(unknown, "self_percent"),
        .self_hits = member_u64(unknown, "self_hits"),
        .all_hits = member_u64(member(lines, "total"), "hits"),
        .reasons = reasons,
        .count = count,
    };
}

static void print_warnings(const cJSON *session, const struct report_style *style, FILE *out)
{
    const char *warnings[WARNINGS_MAX];
    size_t count = 0;
    const cJSON *warning;
    cJSON_ArrayForEach(warning, member(session, "warnings"))
    {
        if (count < WARNINGS_MAX && cJSON_IsString(warning))
            warnings[count++] = warning->valuestring;
    }
    report_warnings(out, style, warnings, count);
}

static int fetch_rows(const struct remote_report *report, const char *what, cJSON **ret_document,
                      struct failure *failure)
{
    char tail[64];
    snprintf(tail, sizeof tail, "/%s?limit=%u&sort=%s", what, report->limit,
             report->by_total ? "total" : "self");
    return fetch(report, tail, ret_document, failure);
}

/* What is asked for, or both: functions where most has no line. */
static int fetch_tables(const struct remote_report *report, cJSON **ret_lines,
                        cJSON **ret_functions, struct failure *failure)
{
    if (report->functions)
        return fetch_rows(report, "functions", ret_functions, failure);
    int error = fetch_rows(report, "lines", ret_lines, failure);
    if (error || report->lines)
        return error;
    struct report_reason reasons[REASONS_MAX];
    struct report_unknown unknown = read_unknown(*ret_lines, reasons);
    return report_lacks_lines(&unknown) ? fetch_rows(report, "functions", ret_functions, failure)
                                        : 0;
}

static int print_lines(const struct remote_report *report, const cJSON *lines,
                       bool functions_follow, const struct report_style *style, FILE *out)
{
    struct report_reason reasons[REASONS_MAX];
    struct report_unknown unknown = read_unknown(lines, reasons);
    bool sampled_only = functions_follow && report_lacks_callers(&unknown) && !report->by_total;
    int error = print_rows(report, lines, sampled_only, style, out);
    unknown.functions_follow = functions_follow;
    if (!error)
        report_unknown(out, style, &unknown);
    return error;
}

static int print_tables(const struct remote_report *report, FILE *out, struct failure *failure)
{
    _cleanup_json_ cJSON *session = NULL;
    _cleanup_json_ cJSON *lines = NULL;
    _cleanup_json_ cJSON *functions = NULL;
    int error = fetch(report, "", &session, failure);
    if (!error)
        error = fetch_tables(report, &lines, &functions, failure);
    if (error)
        return error;
    struct report_style style = report_style_of(out);
    print_session(session, &style, out);
    if (lines)
        error = print_lines(report, lines, functions != NULL, &style, out);
    if (!error && functions)
        error = print_rows(report, functions, false, &style, out);
    if (error)
        return failure_set(failure, error, "out of memory");
    print_warnings(session, &style, out);
    return 0;
}

/* True when `path` is `wanted`, or ends in it after a slash. */
static bool ends_like(const char *path, const char *wanted)
{
    size_t length = strlen(path), wanted_length = strlen(wanted);
    if (length < wanted_length || strcmp(path + length - wanted_length, wanted) != 0)
        return false;
    return length == wanted_length || wanted[0] == '/' || path[length - wanted_length - 1] == '/';
}

/* The id of the file meant: the most expensive one whose path ends like report->source. */
static int find_file(const struct remote_report *report, uint32_t *ret_file,
                     struct failure *failure)
{
    _cleanup_json_ cJSON *files = NULL;
    int error = fetch(report, "/files?limit=10000&sort=total", &files, failure);
    if (error)
        return error;
    const cJSON *file;
    cJSON_ArrayForEach(file, files)
    {
        if (ends_like(member_string(file, "path"), report->source)) {
            *ret_file = (uint32_t)member_u64(file, "id");
            return 0;
        }
    }
    return failure_set(failure, -ENOENT,
                       "no profiled file is called %s: `lprof report %s` lists the files with cost",
                       report->source, report->origin->name);
}

static int print_listing(const struct remote_report *report, FILE *out, struct failure *failure)
{
    _cleanup_text_ struct text listing = {0};
    uint32_t file = 0;
    int error = find_file(report, &file, failure);
    if (error)
        return error;
    char tail[64], path[PATH_BYTES];
    snprintf(tail, sizeof tail, "/files/%u/listing%s", file, report->self ? "?self=1" : "");
    session_path(report, tail, path);
    error = origin_get(report->origin, path, &listing, failure);
    if (!error && listing.bytes)
        fwrite(listing.bytes, 1, listing.length, out);
    return error;
}

int remote_report_print(const struct remote_report *report, FILE *out, struct failure *ret_failure)
{
    return report->source ? print_listing(report, out, ret_failure)
                          : print_tables(report, out, ret_failure);
}
