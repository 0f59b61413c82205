/* The database that a saved profile is: schema, making, opening. */
#include "saved/database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "saved/rows.h"

/* "lpro": in the header of the file, where file(1) sees it. */
#define APPLICATION_ID 0x6c70726f
/* Offsets in the header of an SQLite file (https://www.sqlite.org/fileformat2.html, 1.3). */
#define HEADER_BYTES 100
#define HEADER_USER_VERSION 60
#define HEADER_APPLICATION_ID 68

/* One table each, as it stands in the schema of every file. */
static const char *const tables[] = {
    "CREATE TABLE session(name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE warning(id INTEGER PRIMARY KEY, text TEXT)",
    "CREATE TABLE module(id INTEGER PRIMARY KEY, kind INTEGER, path TEXT, entry INTEGER, "
    "build_id BLOB)",
    "CREATE TABLE thread(id INTEGER PRIMARY KEY, pid INTEGER, tid INTEGER, name TEXT, "
    "state INTEGER, hits INTEGER, sampled_ns INTEGER, accounted_ns INTEGER)",
    "CREATE TABLE file(id INTEGER PRIMARY KEY, path TEXT, directory TEXT, module INTEGER, "
    "md5 BLOB)",
    "CREATE TABLE function(id INTEGER PRIMARY KEY, name TEXT, module INTEGER, file INTEGER, "
    "line INTEGER)",
    "CREATE TABLE source(file INTEGER PRIMARY KEY, error INTEGER, stale INTEGER, bytes INTEGER, "
    "text BLOB)",
    "CREATE TABLE packed(id INTEGER PRIMARY KEY, name TEXT, count INTEGER, bytes INTEGER, "
    "data BLOB)",
    "CREATE TABLE digest(md5 BLOB)",
};

void database_close(struct database *database)
{
    sqlite3_close(database->sqlite);
    database->sqlite = NULL;
}

static int execute(struct database *database, const char *sql)
{
    return sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -ENOMEM;
}

static int open_memory(struct database *database)
{
    md5_init(&database->digest);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY;
    return sqlite3_open_v2(":memory:", &database->sqlite, flags, NULL) == SQLITE_OK ? 0 : -ENOMEM;
}

int database_create(struct database *ret_database)
{
    struct database database = {0};
    char stamp[96];
    snprintf(stamp, sizeof stamp,
             "PRAGMA page_size=1024; PRAGMA application_id=%d; PRAGMA user_version=%d",
             APPLICATION_ID, SAVED_FORMAT);
    int error = open_memory(&database);
    if (!error)
        error = execute(&database, stamp);
    for (size_t i = 0; i < array_length(tables) && !error; i++)
        error = execute(&database, tables[i]);
    if (!error)
        error = execute(&database, "BEGIN");
    if (error) {
        database_close(&database);
        return error;
    }
    *ret_database = database;
    return 0;
}

int database_finish(struct database *database, unsigned char **ret_bytes, size_t *ret_length)
{
    unsigned char sum[MD5_BYTES];
    struct md5 ignored;
    struct rows rows;
    md5_finish(&database->digest, sum);
    md5_init(&ignored);
    rows_begin(&rows, database->sqlite, &ignored, "INSERT INTO digest VALUES(?)");
    rows_add_bytes(&rows, sum, sizeof sum);
    rows_put(&rows);
    int error = rows_end(&rows);
    if (!error)
        error = execute(database, "COMMIT");
    if (error)
        return error;
    sqlite3_int64 length = 0;
    unsigned char *bytes = sqlite3_serialize(database->sqlite, "main", &length, 0);
    if (!bytes)
        return -ENOMEM;
    /* It is SQLite's to free. */
    unsigned char *copy = malloc((size_t)length);
    if (copy)
        memcpy(copy, bytes, (size_t)length);
    sqlite3_free(bytes);
    if (!copy)
        return -ENOMEM;
    *ret_bytes = copy;
    *ret_length = (size_t)length;
    return 0;
}

static uint32_t header_u32(const unsigned char *bytes, size_t offset)
{
    const unsigned char *at = bytes + offset;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* What the file is, before SQLite looks at it. */
static int check_header(const unsigned char *bytes, size_t length, struct failure *failure)
{
    static const char magic[] = "SQLite format 3"; /* with its NUL */
    if (length < HEADER_BYTES || memcmp(bytes, magic, sizeof magic) != 0 ||
        header_u32(bytes, HEADER_APPLICATION_ID) != APPLICATION_ID)
        return failure_set(failure, -EINVAL, "is not a profile that lprofd saved");
    uint32_t format = header_u32(bytes, HEADER_USER_VERSION);
    if (format != SAVED_FORMAT)
        return failure_set(failure, -ENOTSUP,
                           "was saved by another lprofd, in format %u, and this one reads format "
                           "%d: use that one",
                           format, SAVED_FORMAT);
    return 0;
}

static int damaged(struct failure *failure, const char *what)
{
    return failure_set(failure, -EBADMSG, "is damaged: %s", what);
}

/* Nothing that a file brings is ever executed. */
static void harden(sqlite3 *sqlite, size_t length)
{
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(sqlite, SQLITE_LIMIT_LENGTH, length < INT32_MAX ? (int)length : INT32_MAX);
    sqlite3_limit(sqlite, SQLITE_LIMIT_SQL_LENGTH, 4096);
    sqlite3_limit(sqlite, SQLITE_LIMIT_COLUMN, 32);
    sqlite3_limit(sqlite, SQLITE_LIMIT_EXPR_DEPTH, 16);
    sqlite3_limit(sqlite, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(sqlite, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
    sqlite3_limit(sqlite, SQLITE_LIMIT_WORKER_THREADS, 0);
}

/* Exactly our tables, and their indexes by primary key, which have no text. */
static int check_schema(struct database *database)
{
    struct md5 ignored;
    struct rows rows;
    size_t count = 0;
    md5_init(&ignored);
    rows_begin(&rows, database->sqlite, &ignored, "SELECT sql FROM sqlite_schema ORDER BY rowid");
    while (rows_next(&rows)) {
        const char *sql = rows_text(&rows);
        if (!rows.error && (count >= array_length(tables) || strcmp(sql, tables[count]) != 0))
            rows.error = -EBADMSG;
        count++;
    }
    int error = rows_end(&rows);
    return error ? error : count == array_length(tables) ? 0 : -EBADMSG;
}

static int check_pages(struct database *database)
{
    struct md5 ignored;
    struct rows rows;
    bool sound = false;
    md5_init(&ignored);
    rows_begin(&rows, database->sqlite, &ignored, "PRAGMA quick_check(1)");
    if (rows_next(&rows))
        sound = strcmp(rows_text(&rows), "ok") == 0;
    int error = rows_end(&rows);
    return error ? error : sound ? 0 : -EBADMSG;
}

int database_open(const unsigned char *bytes, size_t length, struct database *ret_database,
                  struct failure *ret_failure)
{
    struct database database = {0};
    int error = check_header(bytes, length, ret_failure);
    if (error)
        return error;
    error = open_memory(&database);
    if (!error) {
        harden(database.sqlite, length);
        /* Read-only: the bytes stay as they are. */
        int code = sqlite3_deserialize(database.sqlite, "main", (unsigned char *)(uintptr_t)bytes,
                                       (sqlite3_int64)length, (sqlite3_int64)length,
                                       SQLITE_DESERIALIZE_READONLY);
        error = code == SQLITE_OK ? 0 : code == SQLITE_NOMEM ? -ENOMEM : -EBADMSG;
    }
    if (!error)
        error = check_schema(&database);
    if (!error)
        error = check_pages(&database);
    if (error) {
        database_close(&database);
        return error == -ENOMEM ? failure_set(ret_failure, error, "cannot be read: out of memory")
                                : damaged(ret_failure, "its pages do not fit together");
    }
    *ret_database = database;
    return 0;
}

int database_verify(struct database *database)
{
    unsigned char sum[MD5_BYTES];
    struct md5 ignored;
    struct rows rows;
    bool same = false;
    md5_finish(&database->digest, sum);
    md5_init(&ignored);
    rows_begin(&rows, database->sqlite, &ignored, "SELECT md5 FROM digest");
    if (rows_next(&rows)) {
        size_t length;
        const void *kept = rows_bytes(&rows, &length);
        same = kept && length == sizeof sum && memcmp(kept, sum, length) == 0;
    }
    int error = rows_end(&rows);
    return error ? error : same ? 0 : -EBADMSG;
}
