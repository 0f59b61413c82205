/* Sources of a session: whether they can be read, and their text. */
#include "http/source.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "http/utf8.h"

#define SOURCE_MAX_BYTES (64u << 20)

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

static bool is_kept(struct session *session, uint32_t file)
{
    _cleanup_close_ int fd = -1;
    return !session_open_kept_source(session, file, &fd);
}

const char *source_status(struct session *session, uint32_t file)
{
    _cleanup_close_ int fd = -1;
    bool stale = false;
    int error = session_open_source(session, file, &fd, &stale);
    if (!error && !stale)
        return "found";
    if (is_kept(session, file))
        return "kept";
    return error ? source_status_of_error(error) : "stale";
}

static int read_all(int fd, struct text *text)
{
    char piece[65536];
    for (;;) {
        ssize_t count = read(fd, piece, sizeof piece);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        if (!count)
            return text->failed ? -ENOMEM : 0;
        /* It may have grown since it was opened. */
        if (text->length + (size_t)count > SOURCE_MAX_BYTES)
            return -EFBIG;
        text_add(text, piece, (size_t)count);
    }
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

/* Takes what `fd` has, as UTF-8. */
static int read_text(int fd, struct text *ret_text)
{
    _cleanup_text_ struct text raw = {0};
    int error = read_all(fd, &raw);
    return error ? error : make_utf8(&raw, ret_text);
}

static int read_kept(struct session *session, uint32_t file, struct text *ret_text)
{
    _cleanup_close_ int fd = -1;
    int error = session_open_kept_source(session, file, &fd);
    return error ? error : read_text(fd, ret_text);
}

int source_read(struct session *session, uint32_t file, struct text *ret_text,
                const char **ret_status)
{
    _cleanup_close_ int fd = -1;
    bool stale = false;
    int error = session_open_source(session, file, &fd, &stale);
    if ((error || stale) && !read_kept(session, file, ret_text)) {
        *ret_status = "kept";
        return 0;
    }
    if (error == -ENOENT)
        error = session_fetch_source(session, file);
    if (!error)
        error = read_text(fd, ret_text);
    if (!error)
        *ret_status = stale ? "stale" : "found";
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
