/* Sources of a session: whether they can be read, and their text. */
#include "http/source.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/source_lines.h"
#include "http/utf8.h"

const char *source_status_of_error(int error)
{
    static const struct {
        int error;
        const char *status;
    } statuses[] = {
        {-ENOENT, "missing"},       {-ENOTDIR, "missing"}, {-EACCES, "denied"},
        {-EPERM, "denied"},         {-EFBIG, "too_large"}, {-EINVAL, "not_a_file"},
        {-EISDIR, "not_a_file"},    {-ELOOP, "denied"},    {-ENAMETOOLONG, "missing"},
        {-EINPROGRESS, "fetching"},
    };
    for (size_t i = 0; i < array_length(statuses); i++)
        if (statuses[i].error == error)
            return statuses[i].status;
    return "unreadable";
}

static const char *const origin_names[] = {
    [SOURCE_FOUND] = "found",
    [SOURCE_KEPT] = "kept",
    [SOURCE_STALE] = "stale",
};

const char *source_status(struct session *session, uint32_t file)
{
    _cleanup_close_ int fd = -1;
    enum source_origin origin;
    int error = session_open_source(session, file, &fd, &origin);
    return error ? source_status_of_error(error) : origin_names[origin];
}

/* Takes *raw over, as UTF-8. 0 or -ENOMEM. */
static int make_utf8(struct text *raw, struct text *ret_text)
{
    struct text clean = {0};
    if (utf8_valid(raw->bytes ? raw->bytes : "", raw->length)) {
        clean = *raw;
        *raw = (struct text){0};
    } else {
        utf8_add_source(&clean, raw->bytes, raw->length);
    }
    if (clean.failed) {
        text_free(&clean);
        return -ENOMEM;
    }
    *ret_text = clean;
    return 0;
}

/* 0 or -errno, as session_source_path(). */
static int end_lines(struct session *session, uint32_t file, struct text *text)
{
    _cleanup_free_ char *path = NULL;
    int error = session_source_path(session, file, &path);
    if (!error && text->length)
        source_end_lines(text->bytes, text->length, path);
    return error;
}

int source_read(struct session *session, uint32_t file, struct text *ret_text,
                const char **ret_status)
{
    _cleanup_close_ int fd = -1;
    _cleanup_text_ struct text raw = {0};
    enum source_origin origin;
    int error = session_open_source(session, file, &fd, &origin);
    if (error == -ENOENT)
        return session_fetch_source(session, file);
    if (!error)
        error = text_read(&raw, fd, SESSION_SOURCE_MAX_BYTES);
    if (!error)
        error = make_utf8(&raw, ret_text);
    if (!error)
        error = end_lines(session, file, ret_text);
    if (!error)
        *ret_status = origin_names[origin];
    return error;
}

int source_read_built(struct session *session, uint32_t file, struct text *ret_text)
{
    _cleanup_text_ struct text text = {0};
    const char *status = "";
    int error = source_read(session, file, &text, &status);
    if (error)
        return error;
    if (source_is_stale(status))
        return -ESTALE;
    *ret_text = text;
    text = (struct text){0};
    return 0;
}

bool source_is_stale(const char *status)
{
    return !strcmp(status, "stale");
}
