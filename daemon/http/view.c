/* Reading a session's profile in a handler. */
#include "http/view.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/documents.h"

int view_query_failed(struct reply *reply, int error)
{
    if (error != -EINVAL)
        return error;
    return reply_problem(
        reply, MHD_HTTP_BAD_REQUEST, "Query parameter out of range",
        "The query parameters 'focus' and 'hide' must be a function, file:line, or "
        "a path of functions separated by ';'; 'center' one of the first two.");
}

bool view_find_file(struct request *request, const struct profile_view *view, char **ret_path,
                    struct reply *reply)
{
    char *path = NULL;
    {
        _cleanup_symbols_lock_ const struct symbols *locked = view_lock_symbols(view);
        if (request->file && request->file < symbols_file_count(view->symbols))
            path = strdup(symbols_file(view->symbols, request->file).path);
    }
    if (!path) {
        reply_problem(reply, MHD_HTTP_NOT_FOUND, "No such file",
                      "Session %u knows no file %u; its files are listed at "
                      "/api/v1/sessions/%u/files.",
                      request->session_id, request->file, request->session_id);
        return false;
    }
    *ret_path = path;
    return true;
}

/* Copies the query without its cursor, and without anything that does not belong into a header. */
static void copy_query(const char *query, struct text *text)
{
    while (*query) {
        size_t length = strcspn(query, "&");
        if (length && strncmp(query, "cursor=", 7)) {
            text_add(text, query, length);
            text_add(text, "&", 1);
        }
        query += length + (query[length] == '&');
    }
    for (size_t i = 0; i < text->length; i++)
        if (strchr("<>\"", text->bytes[i]))
            text->bytes[i] = '_';
}

void reply_add_next_link(struct reply *reply, const struct request *request,
                         const struct profile_view *view, size_t end, size_t count)
{
    if (end >= count)
        return;
    char cursor[CURSOR_BYTES];
    page_next_cursor(&request->params, view, end, cursor);
    _cleanup_text_ struct text query = {0};
    const char *mark = strchr(request->target, '?');
    copy_query(mark ? mark + 1 : "", &query);
    reply_add_header(reply, "Next-Cursor", "%s", cursor);
    if (query.length < 300)
        reply_add_header(reply, MHD_HTTP_HEADER_LINK, "<?%scursor=%s>; rel=\"next\"",
                         query.bytes ? query.bytes : "", cursor);
}
