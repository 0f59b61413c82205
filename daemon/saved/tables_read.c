/* What has a table of its own, read: every id and index is checked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/compression.h"
#include "saved/budget.h"
#include "saved/rows.h"
#include "saved/tables.h"

#define PID_LIMIT INT32_MAX
#define ERRNO_LIMIT 4096
/* What a file or a function takes beside its texts: itself, its texts' and its own index slots. */
#define SYMBOL_BYTES 256

static void begin(struct rows *rows, struct database *database, const char *sql)
{
    rows_begin(rows, database->sqlite, &database->digest, sql);
}

static void fail(struct rows *rows, int error)
{
    if (!rows->error && error)
        rows->error = error == -EINVAL ? -EBADMSG : error;
}

/* Ids are dense: the next row's must be `id`. */
static void take_id(struct rows *rows, uint64_t id)
{
    if (rows_u64(rows, UINT32_MAX) != id)
        fail(rows, -EBADMSG);
}

/* Makes room for one more item, within the budget. */
static void grow(struct rows *rows, struct budget *budget, void *items, size_t *capacity,
                 size_t count, size_t item_bytes)
{
    if (rows->error)
        return;
    fail(rows, budget_take(budget, 2, item_bytes));
    if (!rows->error)
        fail(rows, array_reserve(items, capacity, count + 1, item_bytes));
}

static void read_module(struct rows *rows, struct budget *budget, struct module *module)
{
    size_t length;
    module->kind = (enum module_kind)rows_u64(rows, MODULE_JITDUMP + 1);
    const char *path = rows_text(rows);
    fail(rows, budget_take(budget, strlen(path) + 1, 1));
    if (!rows->error) {
        module->path = strdup(path);
        fail(rows, module->path ? 0 : -ENOMEM);
    }
    module->entry = rows_u64(rows, UINT64_MAX);
    const void *build_id = rows_bytes(rows, &length);
    if (length > BUILD_ID_MAX)
        fail(rows, -EBADMSG);
    else if (length)
        memcpy(module->build_id, build_id, length);
    module->build_id_bytes = length <= BUILD_ID_MAX ? length : 0;
}

static int read_modules(struct database *database, struct budget *budget,
                        struct saved_profile *profile)
{
    struct rows rows;
    size_t capacity = 0;
    begin(&rows, database, "SELECT id, kind, path, entry, build_id FROM module ORDER BY id");
    while (rows_next(&rows)) {
        struct module module = {0};
        take_id(&rows, profile->module_count);
        read_module(&rows, budget, &module);
        if ((module.kind == MODULE_NONE) != (profile->module_count == 0))
            fail(&rows, -EBADMSG);
        grow(&rows, budget, &profile->modules, &capacity, profile->module_count, sizeof module);
        if (rows.error)
            free(module.path);
        else
            profile->modules[profile->module_count++] = module;
    }
    int error = rows_end(&rows);
    return error ? error : profile->module_count ? 0 : -EBADMSG;
}

static void read_thread(struct rows *rows, struct profile_thread *thread)
{
    thread->pid = (pid_t)rows_u64(rows, PID_LIMIT);
    thread->tid = (pid_t)rows_u64(rows, PID_LIMIT);
    const char *name = rows_text(rows);
    if (strlen(name) >= sizeof thread->name)
        fail(rows, -EBADMSG);
    else
        memcpy(thread->name, name, strlen(name) + 1);
    thread->state = (enum thread_state)rows_u64(rows, THREAD_EXITED + 1);
    thread->hits = rows_u64(rows, SUM_LIMIT);
    thread->sampled_ns = rows_u64(rows, SUM_LIMIT);
    thread->accounted_ns = rows_u64(rows, SUM_LIMIT);
}

static int read_threads(struct database *database, struct budget *budget,
                        struct saved_profile *profile)
{
    struct rows rows;
    size_t capacity = 0;
    begin(&rows, database,
          "SELECT id, pid, tid, name, state, hits, sampled_ns, accounted_ns FROM thread "
          "ORDER BY id");
    while (rows_next(&rows)) {
        struct profile_thread thread = {0};
        take_id(&rows, profile->thread_count);
        read_thread(&rows, &thread);
        grow(&rows, budget, &profile->threads, &capacity, profile->thread_count, sizeof thread);
        if (!rows.error)
            profile->threads[profile->thread_count++] = thread;
    }
    return rows_end(&rows);
}

/* Both texts are borrowed until the next row: SQLite keeps each column's own. */
static void read_file(struct rows *rows, struct budget *budget, const struct saved_profile *profile)
{
    size_t length;
    struct symbol_file file = {.path = rows_text(rows)};
    file.directory = rows_text(rows);
    file.module = (uint32_t)rows_u64(rows, profile->module_count);
    const void *md5 = rows_bytes(rows, &length);
    if (length && length != sizeof file.md5)
        fail(rows, -EBADMSG);
    file.has_md5 = length == sizeof file.md5;
    if (file.has_md5)
        memcpy(file.md5, md5, length);
    fail(rows, budget_take(budget, strlen(file.path) + strlen(file.directory) + SYMBOL_BYTES, 1));
    if (!rows->error)
        fail(rows, symbols_restore_file(profile->symbols, &file));
}

static int read_files(struct database *database, struct budget *budget,
                      struct saved_profile *profile)
{
    struct rows rows;
    begin(&rows, database, "SELECT id, path, directory, module, md5 FROM file ORDER BY id");
    for (uint64_t id = 1; rows_next(&rows); id++) {
        take_id(&rows, id);
        read_file(&rows, budget, profile);
    }
    return rows_end(&rows);
}

static void read_function(struct rows *rows, struct budget *budget,
                          const struct saved_profile *profile)
{
    struct symbol_function function = {.name = rows_text(rows)};
    function.module = (uint32_t)rows_u64(rows, profile->module_count);
    function.file = (uint32_t)rows_u64(rows, UINT32_MAX);
    function.line = (uint32_t)rows_u64(rows, 1ull << 32);
    fail(rows, budget_take(budget, strlen(function.name) + SYMBOL_BYTES, 1));
    if (!rows->error)
        fail(rows, symbols_restore_function(profile->symbols, &function));
}

static int read_functions(struct database *database, struct budget *budget,
                          struct saved_profile *profile)
{
    struct rows rows;
    begin(&rows, database, "SELECT id, name, module, file, line FROM function ORDER BY id");
    for (uint64_t id = 1; rows_next(&rows); id++) {
        take_id(&rows, id);
        read_function(&rows, budget, profile);
    }
    return rows_end(&rows);
}

/* It is unpacked when it is asked for: how large it may become was bounded here. */
static void read_source(struct rows *rows, struct budget *budget, uint32_t files,
                        struct saved_source *source)
{
    source->file = (uint32_t)rows_u64(rows, files);
    source->error = -(int)rows_u64(rows, ERRNO_LIMIT);
    source->stale = rows_u64(rows, 2);
    source->bytes = rows_u64(rows, SESSION_SOURCE_MAX_BYTES + 1);
    const void *packed = rows_bytes(rows, &source->packed_bytes);
    fail(rows, budget_take(budget, source->packed_bytes + 1, 1));
    if (rows->error)
        return;
    source->packed = malloc(source->packed_bytes + 1);
    if (!source->packed)
        fail(rows, -ENOMEM);
    else if (packed)
        memcpy(source->packed, packed, source->packed_bytes);
}

static int read_sources(struct database *database, struct budget *budget,
                        struct saved_profile *profile)
{
    struct rows rows;
    size_t capacity = 0;
    uint64_t next = 1, bytes = 0;
    begin(&rows, database, "SELECT file, error, stale, bytes, text FROM source ORDER BY file");
    while (rows_next(&rows)) {
        struct saved_source source = {0};
        read_source(&rows, budget, symbols_file_count(profile->symbols), &source);
        bytes += source.bytes;
        if (source.file < next || bytes > SAVED_SOURCES_MAX_BYTES)
            fail(&rows, -EBADMSG);
        next = source.file + 1ull;
        grow(&rows, budget, &profile->sources, &capacity, profile->source_count, sizeof source);
        if (rows.error)
            free(source.packed);
        else
            profile->sources[profile->source_count++] = source;
    }
    return rows_end(&rows);
}

int tables_read(struct database *database, struct budget *budget, struct saved_profile *profile)
{
    int error = read_modules(database, budget, profile);
    if (!error)
        error = read_threads(database, budget, profile);
    if (!error)
        error = read_files(database, budget, profile);
    if (!error)
        error = read_functions(database, budget, profile);
    return error ? error : read_sources(database, budget, profile);
}

static void read_column(struct rows *rows, struct budget *budget, size_t at, struct column *column)
{
    size_t packed_bytes;
    take_id(rows, at);
    const char *name = rows_text(rows);
    if (strcmp(name, column_name((enum column_id)at)) != 0)
        fail(rows, -EBADMSG);
    column->count = rows_u64(rows, UINT32_MAX);
    uint64_t length = rows_u64(rows, INT64_MAX);
    const void *packed = rows_bytes(rows, &packed_bytes);
    fail(rows, budget_take(budget, length + 1, 1));
    if (rows->error)
        return;
    unsigned char *bytes = malloc(length + 1);
    if (!bytes) {
        fail(rows, -ENOMEM);
        return;
    }
    column->reader = (struct reader){.bytes = bytes, .length = length};
    fail(rows, compression_inflate(COMPRESSION_ZSTD, packed, packed_bytes, bytes, length));
}

int tables_read_columns(struct database *database, struct budget *budget, struct column *columns)
{
    struct rows rows;
    size_t count = 0;
    begin(&rows, database, "SELECT id, name, count, bytes, data FROM packed ORDER BY id");
    while (rows_next(&rows)) {
        if (count == COLUMN_COUNT)
            fail(&rows, -EBADMSG);
        else
            read_column(&rows, budget, count, &columns[count]);
        count++;
    }
    int error = rows_end(&rows);
    return error ? error : count == COLUMN_COUNT ? 0 : -EBADMSG;
}

void columns_clear(struct column *columns)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        free((void *)(uintptr_t)columns[i].reader.bytes);
        columns[i] = (struct column){0};
    }
}
