/* The text report of a session in this process. */
#include "cli/session_report.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/report.h"
#include "lprofd/query.h"

#define LINES_MAX 30

static void cleanup_view(struct profile_view **view)
{
    profile_view_free(*view);
}

static void cleanup_lines(struct query_lines **lines)
{
    query_lines_free(*lines);
}

static struct report_row make_row(const struct symbols *symbols, const struct query_line *line)
{
    return (struct report_row){
        .path = symbols_file(symbols, line->file).path,
        .line = line->line,
        .function = symbols_function(symbols, line->function).name,
        .self_percent = line->cost.self_percent,
        .total_percent = line->cost.total_percent,
        .percent_low = line->cost.percent_low,
        .percent_high = line->cost.percent_high,
        .self_time_ns = line->cost.self_time_ns,
        .total_time_ns = line->cost.total_time_ns,
    };
}

static void print_lines(const struct profile_view *view, const struct query_lines *lines,
                        const struct report_style *style, FILE *out)
{
    struct report_row rows[LINES_MAX];
    size_t count = lines->count < LINES_MAX ? lines->count : LINES_MAX;
    symbols_lock_shared(view->symbols); /* the names are borrowed from there */
    for (size_t i = 0; i < count; i++)
        rows[i] = make_row(view->symbols, &lines->rows[i]);
    report_lines(
        out, style,
        &(struct report_table){.rows = rows, .count = count, .more = lines->count - count});
    symbols_unlock(view->symbols);
}

static void print_unknown(const struct query_lines *lines, const struct report_style *style,
                          FILE *out)
{
    struct report_reason reasons[SYMBOL_STATUS_COUNT];
    size_t count = 0;
    for (int status = 0; status < SYMBOL_STATUS_COUNT; status++)
        if (lines->unknown.hits_by_status[status])
            reasons[count++] =
                (struct report_reason){symbol_status_name((enum symbol_status)status),
                                       lines->unknown.hits_by_status[status]};
    report_unknown(out, style,
                   &(struct report_unknown){
                       .self_percent = lines->unknown.cost.self_percent,
                       .self_hits = lines->unknown.cost.self_hits,
                       .all_hits = lines->total.hits,
                       .reasons = reasons,
                       .count = count,
                   });
}

static void print_session(const struct session_info *info, const struct report_style *style,
                          FILE *out)
{
    report_session(out, style,
                   &(struct report_session){
                       .command = info->command,
                       .pid = info->pid,
                       .threads = info->threads_seen,
                       .duration_ns = info->duration_ns,
                       .accounted_ns = info->accounted_ns,
                       .unsampled_ns = info->unsampled_ns,
                       .samples = info->samples.total,
                       .lost = info->samples.lost,
                       .throttled = info->samples.throttled,
                       .truncated_stacks = info->samples.truncated_stacks,
                       .unwound_to_root = info->samples.unwound_to_root,
                       .backend = info->backend,
                       .event = info->event,
                       .frequency_hz = info->frequency_hz,
                   });
}

int session_report_print(struct session *session, FILE *out)
{
    _cleanup_(cleanup_view) struct profile_view *view = NULL;
    _cleanup_(cleanup_lines) struct query_lines *lines = NULL;
    _cleanup_(session_info_free) struct session_info info = {0};
    struct query_options options = {.sort = QUERY_SORT_SELF};
    int error = session_view(session, &view);
    if (!error)
        error = query_lines(view, &options, &lines);
    if (!error)
        error = session_info(session, &info);
    if (error)
        return error;

    struct report_style style = report_style_of(out);
    print_session(&info, &style, out);
    if (lines->total.hits) {
        print_lines(view, lines, &style, out);
        print_unknown(lines, &style, out);
    }
    report_warnings(out, &style, (const char *const *)info.warnings, info.warning_count);
    return 0;
}
