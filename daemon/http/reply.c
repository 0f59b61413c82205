/* A reply: what a handler answers. */
#include "http/reply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "base/cleanup.h"
#include "http/json.h"

void reply_clear(struct reply *reply)
{
    if (reply->stream)
        MHD_destroy_response(reply->stream);
    blob_unref(reply->blob);
    *reply = (struct reply){0};
}

void reply_add_header(struct reply *reply, const char *name, const char *format, ...)
{
    if (reply->header_count == REPLY_HEADERS_MAX)
        return;
    struct reply_header *header = &reply->headers[reply->header_count++];
    header->name = name;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(header->value, sizeof header->value, format, arguments);
    va_end(arguments);
    for (char *cursor = header->value; *cursor; cursor++)
        if ((unsigned char)*cursor < 0x20 || *cursor == 0x7f)
            *cursor = '?';
}

const char *status_phrase(unsigned status)
{
    const char *phrase = MHD_get_reason_phrase_for(status);
    return phrase ? phrase : "Error";
}

int reply_text(struct reply *reply, const char *content_type, struct text *text)
{
    blob_unref(take_pointer(reply->blob));
    reply->content_type = content_type;
    if (!reply->status)
        reply->status = MHD_HTTP_OK;
    return blob_new(text, &reply->blob);
}

int reply_json(struct reply *reply, const cJSON *document)
{
    struct text text = {0};
    int error = json_print(document, &text);
    return error ? error : reply_text(reply, "application/json", &text);
}

static void set_problem(struct reply *reply, unsigned status, const char *title, const char *reason,
                        const char *detail)
{
    blob_unref(take_pointer(reply->blob));
    reply->status = status;
    reply->no_store = true;
    reply->content_type = NULL;
    _cleanup_json_ cJSON *problem = cJSON_CreateObject();
    json_add_string(problem, "type", "about:blank");
    json_add_string(problem, "title", title ? title : status_phrase(status));
    json_add_u64(problem, "status", status);
    json_add_string(problem, "detail", detail);
    if (reason)
        json_add_string(problem, "reason", reason);
    struct text text = {0};
    /* Without memory the status alone has to do. */
    if (!json_print(problem, &text))
        (void)reply_text(reply, "application/problem+json", &text);
}

int reply_problem(struct reply *reply, unsigned status, const char *title, const char *format, ...)
{
    char *detail = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&detail, format, arguments);
    va_end(arguments);
    set_problem(reply, status, title, NULL, length < 0 ? NULL : detail);
    if (length >= 0)
        free(detail);
    return 0;
}

int reply_problem_reason(struct reply *reply, unsigned status, const char *title,
                         const char *reason, const char *format, ...)
{
    char *detail = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&detail, format, arguments);
    va_end(arguments);
    set_problem(reply, status, title, reason, length < 0 ? NULL : detail);
    if (length >= 0)
        free(detail);
    return 0;
}
