/*
 * Rows of a database, value by value. Every value that is written or read also goes into a digest,
 * in the same order, so that a damaged file is noticed wherever the damage is.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/md5.h"

struct rows {
    sqlite3_stmt *statement; /* owned; NULL when it could not be prepared */
    struct md5 *digest;      /* borrowed */
    int column;              /* the next one, from 0 */
    int error; /* the first failure: -EBADMSG, -ENOMEM, -EFBIG; later calls do nothing */
};

void rows_begin(struct rows *rows, sqlite3 *database, struct md5 *digest, const char *sql);
/* Ends the statement. 0, or the first failure. */
int rows_end(struct rows *rows);

/* Writing: the values of a row one after the other, then rows_put(). Bytes must stay until then. */
void rows_add_u64(struct rows *rows, uint64_t value); /* at most INT64_MAX */
void rows_add_text(struct rows *rows, const char *text);
void rows_add_bytes(struct rows *rows, const void *bytes, size_t length);
void rows_put(struct rows *rows);

/* Reading: true while there is a row. */
bool rows_next(struct rows *rows);
/* A number below `limit`; 0 with a failure otherwise. */
uint64_t rows_u64(struct rows *rows, uint64_t limit);
/* A text without NUL; "" with a failure. Borrowed until the next row. */
const char *rows_text(struct rows *rows);
/* Bytes, NULL when there are none. Borrowed until the next row. */
const void *rows_bytes(struct rows *rows, size_t *ret_length);
