/* Handlers of tables: functions, lines, threads. */
#include <errno.h>

#include "base/cleanup.h"
#include "http/documents.h"
#include "http/handlers.h"
#include "http/view.h"

static void lines_freep(struct query_lines **lines)
{
    query_lines_free(*lines);
}

static void functions_freep(struct query_functions **functions)
{
    query_functions_free(*functions);
}

static void threads_freep(struct query_threads **threads)
{
    query_threads_free(*threads);
}

int handle_lines(struct request *request, struct reply *reply)
{
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_(lines_freep) struct query_lines *lines = NULL;
    struct query_options options = params_query_options(&request->params);
    int error = session_view(request->session, &view);
    if (error)
        return error;
    error = request->params.by_thread ? query_lines_by_thread(view, &options, &lines)
                                      : query_lines(view, &options, &lines);
    if (!error && request->params.filter)
        error = query_lines_match(view, request->params.filter, lines);
    if (error)
        return view_query_failed(reply, error);

    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    document_add_total(document, &lines->total);
    document_add_unknown(document, &lines->unknown);
    cJSON *rows = json_add_array(document, "lines");
    size_t first, end;
    page_bounds(&request->params, lines->count, &first, &end);
    {
        _cleanup_symbols_lock_ const struct symbols *locked = view_lock_symbols(view);
        for (size_t i = first; i < end; i++) {
            cJSON *row = json_append_object(rows);
            if (request->params.by_thread)
                document_add_thread(row, "thread", view, lines->rows[i].thread,
                                    lines->other_threads);
            document_add_line(row, view, &lines->rows[i]);
        }
    }
    json_add_u64(document, "count", lines->count);
    document_add_next_cursor(document, &request->params, view, end, lines->count);
    return reply_json(reply, document);
}

int handle_functions(struct request *request, struct reply *reply)
{
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_(functions_freep) struct query_functions *functions = NULL;
    struct query_options options = params_query_options(&request->params);
    int error = session_view(request->session, &view);
    if (error)
        return error;
    error = request->params.by_thread ? query_functions_by_thread(view, &options, &functions)
                                      : query_functions(view, &options, &functions);
    if (!error && request->params.filter)
        error = query_functions_match(view, request->params.filter, functions);
    if (error)
        return view_query_failed(reply, error);

    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    document_add_total(document, &functions->total);
    cJSON *rows = json_add_array(document, "functions");
    size_t first, end;
    page_bounds(&request->params, functions->count, &first, &end);
    {
        _cleanup_symbols_lock_ const struct symbols *locked = view_lock_symbols(view);
        for (size_t i = first; i < end; i++) {
            cJSON *row = json_append_object(rows);
            if (request->params.by_thread)
                document_add_thread(row, "thread", view, functions->rows[i].thread,
                                    functions->other_threads);
            document_add_function(row, view, &functions->rows[i]);
        }
    }
    json_add_u64(document, "count", functions->count);
    document_add_next_cursor(document, &request->params, view, end, functions->count);
    return reply_json(reply, document);
}

static const char *thread_state_name(enum thread_state state)
{
    static const char *const names[] = {
        [THREAD_RUNNING] = "running",
        [THREAD_SLEEPING] = "sleeping",
        [THREAD_STOPPED] = "stopped",
        [THREAD_EXITED] = "exited",
    };
    return (size_t)state < array_length(names) ? names[state] : "unknown";
}

static void add_thread(cJSON *row, const struct profile_view *view, const struct query_thread *cost)
{
    const struct profile_thread *thread = &view->threads[cost->thread];
    json_add_u64(row, "pid", (uint64_t)thread->pid);
    json_add_u64(row, "tid", (uint64_t)thread->tid);
    json_add_string(row, "name", thread->name);
    json_add_string(row, "state", thread_state_name(thread->state));
    json_add_u64(row, "self_hits", cost->cost.self_hits);
    json_add_u64(row, "self_time_ns", cost->cost.self_time_ns);
    json_add_double(row, "self_percent", cost->cost.self_percent);
    json_add_double(row, "percent_low", cost->cost.percent_low);
    json_add_double(row, "percent_high", cost->cost.percent_high);
}

int handle_threads(struct request *request, struct reply *reply)
{
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_(threads_freep) struct query_threads *threads = NULL;
    struct query_options options = params_query_options(&request->params);
    int error = session_view(request->session, &view);
    if (error)
        return error;
    error = query_threads(view, &options, &threads);
    if (error)
        return view_query_failed(reply, error);

    _cleanup_json_ cJSON *document = cJSON_CreateArray();
    size_t first, end;
    page_bounds(&request->params, threads->count, &first, &end);
    for (size_t i = first; i < end; i++)
        if (threads->rows[i].thread < view->thread_count)
            add_thread(json_append_object(document), view, &threads->rows[i]);
    reply_add_next_link(reply, request, view, end, threads->count);
    return reply_json(reply, document);
}
