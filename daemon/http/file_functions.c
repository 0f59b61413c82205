/* The handler of a file's functions: for folding the cold ones, and for outlines. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "http/documents.h"
#include "http/handlers.h"
#include "http/source.h"
#include "http/view.h"
#include "query/function_end.h"

static void functions_freep(struct query_file_functions **functions)
{
    query_file_functions_free(*functions);
}

/* The text that the lines are of; without lines when it is not there, or not the one compiled. */
static int read_source(struct request *request, struct text *bytes, struct source_text *ret_source)
{
    int error = source_read_built(request->session, request->file, bytes);
    if (error == -ENOMEM)
        return error;
    bool fits = !error && bytes->bytes;
    return source_text_init(ret_source, fits ? bytes->bytes : "", fits ? bytes->length : 0);
}

/* Where the next function begins that is not within this one. */
static uint32_t find_limit(const struct query_file_functions *functions, size_t index)
{
    uint32_t last = functions->rows[index].last_line;
    for (size_t i = index + 1; i < functions->count; i++) {
        const struct query_file_function *row = &functions->rows[i];
        uint32_t begin = row->line ? row->line : row->first_line;
        if (begin > last)
            return begin;
    }
    return UINT32_MAX;
}

static void add_line(cJSON *row, const char *key, uint32_t line)
{
    if (line)
        json_add_u64(row, key, line);
    else
        json_add_null(row, key);
}

static void add_function(cJSON *row, const struct profile_view *view,
                         const struct query_file_function *function, uint32_t end_line)
{
    struct symbol_function known = symbols_function(view->symbols, function->function);
    json_add_u64(row, "id", function->function);
    json_add_string(row, "function", known.name);
    json_add_string(row, "module", document_module(view, known.module));
    add_line(row, "line", function->line);
    json_add_u64(row, "first_line", function->first_line);
    json_add_u64(row, "last_line", function->last_line);
    add_line(row, "end_line", end_line);
    json_add_u64(row, "inlined_into", function->inlined_into);
    document_add_cost(row, &function->cost);
}

int handle_file_functions(struct request *request, struct reply *reply)
{
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_(functions_freep) struct query_file_functions *functions = NULL;
    _cleanup_free_ char *path = NULL;
    _cleanup_text_ struct text bytes = {0};
    _cleanup_source_text_ struct source_text source = {0};
    struct query_options options = params_query_options(&request->params);
    int error = session_view(request->session, &view);
    if (error)
        return error;
    if (!view_find_file(request, view, &path, reply))
        return 0;
    error = query_file_functions(view, &options, request->file, &functions);
    if (error)
        return view_query_failed(reply, error);
    error = read_source(request, &bytes, &source);
    if (error)
        return error;

    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    json_add_u64(document, "file", request->file);
    json_add_string(document, "path", path);
    document_add_total(document, &functions->total);
    cJSON *rows = json_add_array(document, "functions");
    _cleanup_symbols_lock_ const struct symbols *locked = view_lock_symbols(view);
    for (size_t i = 0; i < functions->count; i++) {
        const struct query_file_function *row = &functions->rows[i];
        uint32_t end_line = 0;
        if (row->line)
            source_function_end(&source, row->line, row->last_line, find_limit(functions, i),
                                &end_line);
        add_function(json_append_object(rows), view, row, end_line);
    }
    return reply_json(reply, document);
}
