/* Parts of documents that several resources share. */
#include "http/documents.h"

#include <stdio.h>

#include "base/cleanup.h"

void document_add_cost(cJSON *object, const struct query_cost *cost)
{
    json_add_u64(object, "self_hits", cost->self_hits);
    json_add_u64(object, "total_hits", cost->total_hits);
    json_add_u64(object, "self_time_ns", cost->self_time_ns);
    json_add_u64(object, "total_time_ns", cost->total_time_ns);
    json_add_double(object, "self_percent", cost->self_percent);
    json_add_double(object, "total_percent", cost->total_percent);
    json_add_double(object, "percent_low", cost->percent_low);
    json_add_double(object, "percent_high", cost->percent_high);
}

void document_add_total(cJSON *object, const struct query_total *total)
{
    cJSON *child = json_add_object(object, "total");
    json_add_u64(child, "hits", total->hits);
    json_add_u64(child, "time_ns", total->time_ns);
}

void document_add_unknown(cJSON *object, const struct query_unknown *unknown)
{
    cJSON *child = json_add_object(object, "unknown");
    document_add_cost(child, &unknown->cost);
    cJSON *reasons = json_add_object(child, "reasons");
    for (int status = 0; status < SYMBOL_STATUS_COUNT; status++)
        if (unknown->hits_by_status[status])
            json_add_u64(reasons, symbol_status_name((enum symbol_status)status),
                         unknown->hits_by_status[status]);
}

const char *document_module(const struct profile_view *view, uint32_t module)
{
    if (!module || module >= view->module_count)
        return "";
    const struct module *found = profile_view_module(view, module);
    return found && found->path ? found->path : "";
}

void document_add_thread(cJSON *row, const char *name_key, const struct profile_view *view,
                         uint32_t thread, size_t others)
{
    char name[48];
    bool is_others = thread >= view->thread_count;
    snprintf(name, sizeof name, "%zu other thread%s", others, others == 1 ? "" : "s");
    json_add_u64(row, "tid", is_others ? 0 : (uint64_t)view->threads[thread].tid);
    json_add_string(row, name_key, is_others ? name : view->threads[thread].name);
}

void document_add_line(cJSON *row, const struct profile_view *view, const struct query_line *line)
{
    json_add_u64(row, "file", line->file);
    json_add_string(row, "path", symbols_file(view->symbols, line->file).path);
    document_add_file_line(row, view, line);
}

void document_add_file_line(cJSON *row, const struct profile_view *view,
                            const struct query_line *line)
{
    json_add_u64(row, "line", line->line);
    struct symbol_function function = symbols_function(view->symbols, line->function);
    json_add_string(row, "function", function.name);
    json_add_string(row, "module", document_module(view, function.module));
    json_add_u64(row, "inlined_into", line->inlined_into);
    document_add_cost(row, &line->cost);
}

void document_add_function(cJSON *row, const struct profile_view *view,
                           const struct query_function *function)
{
    struct symbol_function known = symbols_function(view->symbols, function->function);
    json_add_u64(row, "id", function->function);
    json_add_string(row, "function", known.name);
    json_add_string(row, "module", document_module(view, known.module));
    if (known.file) {
        json_add_u64(row, "file", known.file);
        json_add_string(row, "path", symbols_file(view->symbols, known.file).path);
        json_add_u64(row, "line", known.line);
    } else {
        json_add_null(row, "file");
        json_add_null(row, "path");
        json_add_null(row, "line");
    }
    json_add_u64(row, "inlined_into", function->inlined_into);
    document_add_cost(row, &function->cost);
}

static void add_samples(cJSON *object, const struct session_info *info)
{
    cJSON *samples = json_add_object(object, "samples");
    json_add_u64(samples, "total", info->samples.total);
    json_add_u64(samples, "lost", info->samples.lost);
    json_add_u64(samples, "throttled", info->samples.throttled);
    json_add_u64(samples, "truncated_stacks", info->samples.truncated_stacks);
    json_add_u64(samples, "unwound_to_root", info->samples.unwound_to_root);
    json_add_u64(samples, "frame_pointer_stacks", info->samples.frame_pointer_stacks);
    json_add_u64(samples, "unresolved_frames", info->samples.unresolved_frames);
    json_add_u64(samples, "forgotten", info->samples.forgotten);
    cJSON *time = json_add_object(object, "time");
    json_add_u64(time, "sampled_ns", info->sampled_ns);
    json_add_u64(time, "accounted_ns", info->accounted_ns);
    json_add_u64(time, "unsampled_ns", info->unsampled_ns);
}

static void add_observer(cJSON *object, const struct session_info *info)
{
    cJSON *observer = json_add_object(object, "observer");
    json_add_double(observer, "daemon_cpu_percent", info->daemon_cpu_percent);
    json_add_double(observer, "target_overhead_percent", info->target_overhead_percent);
    json_add_u64(observer, "rss_bytes", info->rss_bytes);
}

void document_add_progress(cJSON *object, const struct session_info *info)
{
    json_add_string(object, "state", session_state_name(info->state));
    json_add_u64(object, "duration_ns", info->duration_ns);
    json_add_u64(object, "threads", info->threads);
    json_add_u64(object, "threads_seen", info->threads_seen);
    add_samples(object, info);
    add_observer(object, info);
    json_add_u64(object, "knows_since_ns", info->knows_since_ns);
}

void document_add_session(cJSON *object, const struct session_info *info)
{
    json_add_u64(object, "id", info->id);
    json_add_string(object, "state", session_state_name(info->state));
    json_add_u64(object, "pid", (uint64_t)info->pid);
    json_add_string(object, "command", info->command);
    json_add_string(object, "executable", info->executable);
    json_add_string(object, "started_at", info->started_at);
    json_add_u64(object, "duration_ns", info->duration_ns);
    json_add_string(object, "backend", info->backend);
    json_add_string(object, "backend_reason", info->backend_reason);
    json_add_string(object, "event", info->event);
    json_add_u64(object, "frequency_hz", info->frequency_hz);
    json_add_u64(object, "stack_bytes", info->stack_bytes);
    json_add_bool(object, "follow", info->follow);
    json_add_u64(object, "threads", info->threads);
    json_add_u64(object, "threads_seen", info->threads_seen);
    json_add_u64(object, "processes", info->processes);
    add_samples(object, info);
    add_observer(object, info);
    json_add_u64(object, "knows_since_ns", info->knows_since_ns);
    cJSON *warnings = json_add_array(object, "warnings");
    for (size_t i = 0; i < info->warning_count && i < SESSION_WARNINGS_MAX; i++)
        json_append_string(warnings, info->warnings[i]);
}

void page_bounds(const struct params *params, size_t count, size_t *ret_first, size_t *ret_end)
{
    size_t first = params->offset < count ? (size_t)params->offset : count;
    *ret_first = first;
    *ret_end = params->limit < count - first ? first + params->limit : count;
}

void page_next_cursor(const struct params *params, const struct profile_view *view, size_t end,
                      char ret_cursor[static CURSOR_BYTES])
{
    uint64_t to_ns = params->pinned_to_ns ? params->pinned_to_ns : params->to_ns;
    if (!to_ns || to_ns > view->duration_ns)
        to_ns = view->duration_ns ? view->duration_ns : 1;
    cursor_format(end, to_ns, ret_cursor);
}

void document_add_next_cursor(cJSON *object, const struct params *params,
                              const struct profile_view *view, size_t end, size_t count)
{
    if (end >= count) {
        json_add_null(object, "next_cursor");
        return;
    }
    char cursor[CURSOR_BYTES];
    page_next_cursor(params, view, end, cursor);
    json_add_string(object, "next_cursor", cursor);
}
