/* Handlers of source files: the table, one file's lines, its text and its listing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/documents.h"
#include "http/handlers.h"
#include "http/source.h"
#include "http/view.h"
#include "query/listing.h"

/* Each row's file is opened to see whether it is there, so pages are smaller than elsewhere. */
#define FILES_PAGE_MAX 1000

static void files_freep(struct query_files **files)
{
    query_files_free(*files);
}

static void lines_freep(struct query_lines **lines)
{
    query_lines_free(*lines);
}

static void add_file(cJSON *row, struct request *request, const struct profile_view *view,
                     const struct query_file *file)
{
    json_add_u64(row, "id", file->file);
    {
        _cleanup_symbols_lock_ const struct symbols *locked = view_lock_symbols(view);
        struct symbol_file known = symbols_file(view->symbols, file->file);
        json_add_string(row, "path", known.path);
        json_add_string(row, "module", document_module(view, known.module));
    }
    json_add_string(row, "status", source_status(request->session, file->file));
    document_add_cost(row, &file->cost);
}

int handle_files(struct request *request, struct reply *reply)
{
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_(files_freep) struct query_files *files = NULL;
    struct query_options options = params_query_options(&request->params);
    int error = session_view(request->session, &view);
    if (error)
        return error;
    error = query_files(view, &options, &files);
    if (error)
        return view_query_failed(reply, error);

    _cleanup_json_ cJSON *document = cJSON_CreateArray();
    size_t first, end;
    page_bounds(&request->params, files->count, &first, &end);
    if (end - first > FILES_PAGE_MAX)
        end = first + FILES_PAGE_MAX;
    for (size_t i = first; i < end; i++)
        add_file(json_append_object(document), request, view, &files->rows[i]);
    reply_add_next_link(reply, request, view, end, files->count);
    return reply_json(reply, document);
}

static int compare_by_line(const void *left, const void *right)
{
    const struct query_line *a = left;
    const struct query_line *b = right;
    return a->line < b->line ? -1 : a->line > b->line;
}

/* Moves the rows of one file to the front, by line; returns how many. */
static size_t keep_file(struct query_lines *lines, uint32_t file)
{
    size_t count = 0;
    for (size_t i = 0; i < lines->count; i++)
        if (lines->rows[i].file == file)
            lines->rows[count++] = lines->rows[i];
    if (count)
        qsort(lines->rows, count, sizeof *lines->rows, compare_by_line);
    return count;
}

int handle_file_lines(struct request *request, struct reply *reply)
{
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_(lines_freep) struct query_lines *lines = NULL;
    _cleanup_free_ char *path = NULL;
    struct query_options options = params_query_options(&request->params);
    int error = session_view(request->session, &view);
    if (error)
        return error;
    if (!view_find_file(request, view, &path, reply))
        return 0;
    error = query_lines(view, &options, &lines);
    if (error)
        return view_query_failed(reply, error);

    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    json_add_u64(document, "file", request->file);
    json_add_string(document, "path", path);
    document_add_total(document, &lines->total);
    cJSON *rows = json_add_array(document, "lines");
    size_t count = keep_file(lines, request->file);
    _cleanup_symbols_lock_ const struct symbols *locked = view_lock_symbols(view);
    for (size_t i = 0; i < count; i++)
        document_add_file_line(json_append_object(rows), view, &lines->rows[i]);
    return reply_json(reply, document);
}

static int explain_unreadable(struct reply *reply, const char *path, int error)
{
    const char *status = source_status_of_error(error);
    if (!strcmp(status, "missing"))
        return reply_problem_reason(
            reply, MHD_HTTP_NOT_FOUND, "Source missing", status,
            "%s is not there. If the sources are elsewhere, start lprofd with --source-path "
            "OLD=NEW, which looks under NEW for what the debug information names under OLD.",
            path);
    if (!strcmp(status, "fetching"))
        return reply_problem_reason(reply, MHD_HTTP_NOT_FOUND, "Source on its way", status,
                                    "%s is being fetched from a debuginfod server.", path);
    if (!strcmp(status, "denied"))
        return reply_problem_reason(reply, MHD_HTTP_NOT_FOUND, "Source denied", status,
                                    "The target's user may not read %s.", path);
    if (!strcmp(status, "too_large"))
        return reply_problem_reason(reply, MHD_HTTP_NOT_FOUND, "Source too large", status,
                                    "%s is larger than 64 MiB.", path);
    if (!strcmp(status, "not_a_file"))
        return reply_problem_reason(reply, MHD_HTTP_NOT_FOUND, "Source is not a file", status,
                                    "%s is not a regular file.", path);
    return reply_problem_reason(reply, MHD_HTTP_NOT_FOUND, "Source unreadable", status,
                                "%s cannot be read: %s.", path, strerror(-error));
}

int handle_file_text(struct request *request, struct reply *reply)
{
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_free_ char *path = NULL;
    int error = session_view(request->session, &view);
    if (error)
        return error;
    if (!view_find_file(request, view, &path, reply))
        return 0;
    struct text text = {0};
    const char *status = "";
    error = source_read(request->session, request->file, &text, &status);
    if (error == -ENOMEM)
        return error;
    if (error)
        return explain_unreadable(reply, path, error);
    reply_add_header(reply, "Source-Status", "%s", status);
    return reply_text(reply, "text/plain; charset=utf-8", &text);
}

int handle_file_listing(struct request *request, struct reply *reply)
{
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_text_ struct text source = {0};
    _cleanup_(session_info_free) struct session_info info = {0};
    int error = session_view(request->session, &view);
    if (!error)
        error = session_info(request->session, &info);
    if (error)
        return error;
    struct listing_options listing = {
        .event = info.event, .frequency_hz = info.frequency_hz, .self = request->params.self};
    const char *status = "";
    error = source_read(request->session, request->file, &source, &status);
    listing.stale = source_is_stale(status);
    if (error == -ENOMEM)
        return error;
    if (error)
        listing.missing = source_status_of_error(error);
    else
        listing.source = source.bytes ? source.bytes : "";
    listing.source_bytes = source.length;

    struct text text = {0};
    struct query_options options = params_query_options(&request->params);
    error = listing_write(view, &options, request->file, &listing, &text);
    if (!error)
        return reply_text(reply, "text/plain; charset=utf-8", &text);
    text_free(&text);
    if (error == -ENOENT)
        return reply_problem(reply, MHD_HTTP_NOT_FOUND, "No such file",
                             "Session %u knows no file %u.", request->session_id, request->file);
    return view_query_failed(reply, error);
}
