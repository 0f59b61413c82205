/* The text report of a session in this process. */
#include "cli/session_report.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/report.h"
#include "lprofd/query.h"

#define ROWS_MAX 30

static void cleanup_view(struct profile_view **view)
{
    profile_view_free(*view);
}

static void cleanup_lines(struct query_lines **lines)
{
    query_lines_free(*lines);
}

static void cleanup_functions(struct query_functions **functions)
{
    query_functions_free(*functions);
}

static struct report_row make_row(const struct query_cost *cost)
{
    return (struct report_row){
        .self_percent = cost->self_percent,
        .total_percent = cost->total_percent,
        .percent_low = cost->percent_low,
        .percent_high = cost->percent_high,
        .self_time_ns = cost->self_time_ns,
        .total_time_ns = cost->total_time_ns,
    };
}

static struct report_row make_line(const struct symbols *symbols, const struct query_line *line)
{
    struct report_row row = make_row(&line->cost);
    row.path = symbols_file(symbols, line->file).path;
    row.line = line->line;
    row.function = symbols_function(symbols, line->function).name;
    return row;
}

static struct report_row make_function(const struct profile_view *view,
                                       const struct query_function *function)
{
    struct symbol_function known = symbols_function(view->symbols, function->function);
    const struct module *module =
        known.module < view->module_count ? profile_view_module(view, known.module) : NULL;
    struct report_row row = make_row(&function->cost);
    row.function = known.name;
    row.path = known.file ? symbols_file(view->symbols, known.file).path : "";
    row.line = known.line;
    row.module = module ? module->path : NULL;
    return row;
}

/* The first `wanted` of them, or as many as are printed. */
static void print_lines(const struct profile_view *view, const struct query_lines *lines,
                        size_t wanted, const struct report_style *style, FILE *out)
{
    struct report_row rows[ROWS_MAX];
    size_t count = wanted < ROWS_MAX ? wanted : ROWS_MAX;
    symbols_lock_shared(view->symbols); /* the names are borrowed from there */
    for (size_t i = 0; i < count; i++)
        rows[i] = make_line(view->symbols, &lines->rows[i]);
    report_lines(
        out, style,
        &(struct report_table){.rows = rows, .count = count, .more = lines->count - count});
    symbols_unlock(view->symbols);
}

static int print_functions(const struct profile_view *view, const struct query_options *options,
                           const struct report_style *style, FILE *out)
{
    _cleanup_(cleanup_functions) struct query_functions *functions = NULL;
    int error = query_functions(view, options, &functions);
    if (error)
        return error;
    struct report_row rows[ROWS_MAX];
    size_t count = functions->count < ROWS_MAX ? functions->count : ROWS_MAX;
    symbols_lock_shared(view->symbols);
    for (size_t i = 0; i < count; i++)
        rows[i] = make_function(view, &functions->rows[i]);
    report_functions(
        out, style,
        &(struct report_table){.rows = rows, .count = count, .more = functions->count - count});
    symbols_unlock(view->symbols);
    return 0;
}

static size_t count_sampled(const struct query_lines *lines)
{
    size_t count = 0;
    while (count < lines->count && lines->rows[count].cost.self_hits)
        count++;
    return count;
}

static int print_tables(const struct profile_view *view, const struct query_options *options,
                        const struct query_lines *lines, const struct report_style *style,
                        FILE *out)
{
    struct report_reason reasons[SYMBOL_STATUS_COUNT];
    struct report_unknown unknown = {.self_percent = lines->unknown.cost.self_percent,
                                     .self_hits = lines->unknown.cost.self_hits,
                                     .all_hits = lines->total.hits,
                                     .reasons = reasons};
    for (int status = 0; status < SYMBOL_STATUS_COUNT; status++)
        if (lines->unknown.hits_by_status[status])
            reasons[unknown.count++] =
                (struct report_reason){symbol_status_name((enum symbol_status)status),
                                       lines->unknown.hits_by_status[status]};
    unknown.functions_follow = report_lacks_lines(&unknown);
    size_t wanted = report_lacks_callers(&unknown) ? count_sampled(lines) : lines->count;
    if (wanted)
        print_lines(view, lines, wanted, style, out);
    report_unknown(out, style, &unknown);
    return unknown.functions_follow ? print_functions(view, options, style, out) : 0;
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
    if (lines->total.hits)
        error = print_tables(view, &options, lines, &style, out);
    report_warnings(out, &style, (const char *const *)info.warnings, info.warning_count);
    return error;
}
