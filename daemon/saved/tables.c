/* What has a table of its own, written. */
#include "saved/tables.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/compression.h"
#include "saved/rows.h"

static void begin(struct rows *rows, struct database *database, const char *sql)
{
    rows_begin(rows, database->sqlite, &database->digest, sql);
}

static int write_modules(struct database *database, const struct saved_content *content)
{
    struct rows rows;
    begin(&rows, database, "INSERT INTO module VALUES(?,?,?,?,?)");
    for (uint32_t i = 0; i < content->view->module_count; i++) {
        const struct module *module = content->modules[i];
        rows_add_u64(&rows, i);
        rows_add_u64(&rows, module->kind);
        rows_add_text(&rows, module->path);
        rows_add_u64(&rows, module->entry < INT64_MAX ? module->entry : INT64_MAX);
        rows_add_bytes(&rows, module->build_id, module->build_id_bytes);
        rows_put(&rows);
    }
    return rows_end(&rows);
}

static int write_threads(struct database *database, const struct profile_view *view)
{
    struct rows rows;
    begin(&rows, database, "INSERT INTO thread VALUES(?,?,?,?,?,?,?,?)");
    for (size_t i = 0; i < view->thread_count; i++) {
        const struct profile_thread *thread = &view->threads[i];
        rows_add_u64(&rows, i);
        rows_add_u64(&rows, (uint64_t)thread->pid);
        rows_add_u64(&rows, (uint64_t)thread->tid);
        rows_add_text(&rows, thread->name);
        rows_add_u64(&rows, thread->state);
        rows_add_u64(&rows, thread->hits);
        rows_add_u64(&rows, thread->sampled_ns);
        rows_add_u64(&rows, thread->accounted_ns);
        rows_put(&rows);
    }
    return rows_end(&rows);
}

/* Ids count from 1: 0 is the unknown one everywhere. */
static int write_files(struct database *database, const struct symbols *symbols)
{
    struct rows rows;
    begin(&rows, database, "INSERT INTO file VALUES(?,?,?,?,?)");
    for (uint32_t id = 1; id < symbols_file_count(symbols); id++) {
        struct symbol_file file = symbols_file(symbols, id);
        rows_add_u64(&rows, id);
        rows_add_text(&rows, file.path);
        rows_add_text(&rows, file.directory);
        rows_add_u64(&rows, file.module);
        rows_add_bytes(&rows, file.md5, file.has_md5 ? sizeof file.md5 : 0);
        rows_put(&rows);
    }
    return rows_end(&rows);
}

static int write_functions(struct database *database, const struct symbols *symbols)
{
    struct rows rows;
    begin(&rows, database, "INSERT INTO function VALUES(?,?,?,?,?)");
    for (uint32_t id = 1; id < symbols_function_count(symbols); id++) {
        struct symbol_function function = symbols_function(symbols, id);
        rows_add_u64(&rows, id);
        rows_add_text(&rows, function.name);
        rows_add_u64(&rows, function.module);
        rows_add_u64(&rows, function.file);
        rows_add_u64(&rows, function.line);
        rows_put(&rows);
    }
    return rows_end(&rows);
}

static int write_sources(struct database *database, const struct saved_content *content)
{
    struct rows rows;
    begin(&rows, database, "INSERT INTO source VALUES(?,?,?,?,?)");
    for (size_t i = 0; i < content->source_count; i++) {
        const struct saved_source *source = &content->sources[i];
        rows_add_u64(&rows, source->file);
        rows_add_u64(&rows, (uint64_t)-source->error);
        rows_add_u64(&rows, source->stale);
        rows_add_u64(&rows, source->bytes);
        rows_add_bytes(&rows, source->packed, source->packed_bytes);
        rows_put(&rows);
    }
    return rows_end(&rows);
}

int tables_write(struct database *database, const struct saved_content *content)
{
    const struct symbols *symbols = content->view->symbols;
    int error = write_modules(database, content);
    if (!error)
        error = write_threads(database, content->view);
    if (!error)
        error = write_files(database, symbols);
    if (!error)
        error = write_functions(database, symbols);
    return error ? error : write_sources(database, content);
}

int tables_write_columns(struct database *database, struct column_writer *columns)
{
    struct rows rows;
    int error = 0;
    begin(&rows, database, "INSERT INTO packed VALUES(?,?,?,?,?)");
    for (size_t i = 0; i < COLUMN_COUNT && !error; i++) {
        const struct text *bytes = &columns[i].bytes;
        _cleanup_free_ void *packed = NULL;
        size_t packed_bytes = 0;
        if (bytes->failed)
            error = -ENOMEM;
        else
            error = compression_pack(bytes->length ? bytes->bytes : "", bytes->length,
                                     COMPRESSION_SMALL, &packed, &packed_bytes);
        if (error)
            break;
        rows_add_u64(&rows, i);
        rows_add_text(&rows, column_name((enum column_id)i));
        rows_add_u64(&rows, columns[i].count);
        rows_add_u64(&rows, bytes->length);
        rows_add_bytes(&rows, packed, packed_bytes);
        rows_put(&rows);
    }
    int ended = rows_end(&rows);
    return error ? error : ended;
}
