/* Rows of a database, value by value, with a digest of them all. */
#include "saved/rows.h"

#include <errno.h>
#include <string.h>

static void fail(struct rows *rows, int error)
{
    if (!rows->error)
        rows->error = error;
}

/* What SQLite answers, as an errno. */
static int error_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_TOOBIG:
    case SQLITE_FULL:
        return -EFBIG;
    default:
        return -EBADMSG;
    }
}

void rows_begin(struct rows *rows, sqlite3 *database, struct md5 *digest, const char *sql)
{
    *rows = (struct rows){.digest = digest};
    rows->error = error_of(sqlite3_prepare_v2(database, sql, -1, &rows->statement, NULL));
}

int rows_end(struct rows *rows)
{
    sqlite3_finalize(rows->statement);
    rows->statement = NULL;
    return rows->error;
}

/* Kind and length come first, so that values cannot be moved from one to the next. */
static void digest_bytes(struct rows *rows, char kind, const void *bytes, size_t length)
{
    uint64_t count = length;
    md5_add(rows->digest, &kind, 1);
    md5_add(rows->digest, &count, sizeof count);
    if (length)
        md5_add(rows->digest, bytes, length);
}

static void digest_u64(struct rows *rows, uint64_t value)
{
    md5_add(rows->digest, "i", 1);
    md5_add(rows->digest, &value, sizeof value);
}

void rows_add_u64(struct rows *rows, uint64_t value)
{
    if (rows->error)
        return;
    if (value > INT64_MAX) {
        fail(rows, -EFBIG);
        return;
    }
    fail(rows, error_of(sqlite3_bind_int64(rows->statement, ++rows->column, (sqlite3_int64)value)));
    digest_u64(rows, value);
}

void rows_add_text(struct rows *rows, const char *text)
{
    if (rows->error)
        return;
    size_t length = strlen(text);
    fail(rows, error_of(sqlite3_bind_text64(rows->statement, ++rows->column, text, length,
                                            SQLITE_STATIC, SQLITE_UTF8)));
    digest_bytes(rows, 't', text, length);
}

void rows_add_bytes(struct rows *rows, const void *bytes, size_t length)
{
    if (rows->error)
        return;
    fail(rows, error_of(sqlite3_bind_blob64(rows->statement, ++rows->column, length ? bytes : "",
                                            length, SQLITE_STATIC)));
    digest_bytes(rows, 'b', bytes, length);
}

void rows_put(struct rows *rows)
{
    if (rows->error)
        return;
    int code = sqlite3_step(rows->statement);
    fail(rows, code == SQLITE_DONE ? 0 : error_of(code));
    sqlite3_reset(rows->statement);
    rows->column = 0;
}

bool rows_next(struct rows *rows)
{
    if (rows->error)
        return false;
    int code = sqlite3_step(rows->statement);
    fail(rows, error_of(code));
    rows->column = 0;
    return code == SQLITE_ROW;
}

/* True when the next column, which is stepped over, is of that type. */
static bool take(struct rows *rows, int type)
{
    if (rows->error)
        return false;
    if (sqlite3_column_type(rows->statement, rows->column++) != type)
        fail(rows, -EBADMSG);
    return !rows->error;
}

uint64_t rows_u64(struct rows *rows, uint64_t limit)
{
    if (!take(rows, SQLITE_INTEGER))
        return 0;
    sqlite3_int64 value = sqlite3_column_int64(rows->statement, rows->column - 1);
    if (value < 0 || (uint64_t)value >= limit) {
        fail(rows, -EBADMSG);
        return 0;
    }
    digest_u64(rows, (uint64_t)value);
    return (uint64_t)value;
}

const char *rows_text(struct rows *rows)
{
    if (!take(rows, SQLITE_TEXT))
        return "";
    const char *text = (const char *)sqlite3_column_text(rows->statement, rows->column - 1);
    size_t length = (size_t)sqlite3_column_bytes(rows->statement, rows->column - 1);
    if (!text || strlen(text) != length) {
        fail(rows, text ? -EBADMSG : -ENOMEM);
        return "";
    }
    digest_bytes(rows, 't', text, length);
    return text;
}

const void *rows_bytes(struct rows *rows, size_t *ret_length)
{
    *ret_length = 0;
    if (!take(rows, SQLITE_BLOB))
        return NULL;
    const void *bytes = sqlite3_column_blob(rows->statement, rows->column - 1);
    size_t length = (size_t)sqlite3_column_bytes(rows->statement, rows->column - 1);
    if (length && !bytes) {
        fail(rows, -ENOMEM);
        return NULL;
    }
    digest_bytes(rows, 'b', bytes, length);
    *ret_length = length;
    return bytes;
}
