/* The session document as rows: a name and a value each. */
#include "saved/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "saved/budget.h"
#include "saved/rows.h"

struct number {
    const char *name;
    size_t offset, bytes; /* in the structure that it is a member of */
    uint64_t min, limit;
};

#define NUMBER(type, name, member, min, limit)                                                     \
    {                                                                                              \
        name, offsetof(type, member), sizeof(((type *)0)->member), min, limit                      \
    }
#define INFO(member, min, limit) NUMBER(struct session_info, #member, member, min, limit)
#define SUM(member) INFO(member, 0, SUM_LIMIT)

static const struct number info_numbers[] = {
    INFO(pid, 0, INT32_MAX),
    INFO(frequency_hz, 1, SESSION_FREQUENCY_MAX_HZ + 1),
    INFO(stack_bytes, 0, SESSION_STACK_MAX_BYTES + 1),
    INFO(follow, 0, 2),
    INFO(threads, 0, UINT32_MAX),
    INFO(processes, 0, UINT32_MAX),
    SUM(duration_ns),
    SUM(samples.total),
    SUM(samples.lost),
    SUM(samples.throttled),
    SUM(samples.truncated_stacks),
    SUM(samples.unwound_to_root),
    SUM(samples.frame_pointer_stacks),
    SUM(samples.unresolved_frames),
    SUM(sampled_ns),
    SUM(accounted_ns),
    SUM(knows_since_ns),
};

static const struct number jit_numbers[] = {
    NUMBER(struct symbol_jit, "jit.locations", locations, 0, SUM_LIMIT),
    NUMBER(struct symbol_jit, "jit.named", named, 0, SUM_LIMIT),
    NUMBER(struct symbol_jit, "jit.problems", problems, 0, 1 << 16),
};

/* Numbers of all sizes, little endian as every machine that we run on. */
static uint64_t load(const void *from, const struct number *number)
{
    uint64_t value = 0;
    memcpy(&value, (const char *)from + number->offset, number->bytes);
    return value;
}

static void store(void *to, const struct number *number, uint64_t value)
{
    memcpy((char *)to + number->offset, &value, number->bytes);
}

enum { TEXT_COMMAND, TEXT_EXECUTABLE, TEXT_STARTED_AT, TEXT_BACKEND, TEXT_REASON, TEXT_EVENT };

static const char *const texts[] = {
    [TEXT_COMMAND] = "command", [TEXT_EXECUTABLE] = "executable", [TEXT_STARTED_AT] = "started_at",
    [TEXT_BACKEND] = "backend", [TEXT_REASON] = "backend_reason", [TEXT_EVENT] = "event",
};

static int write_warnings(struct database *database, const struct session_info *info)
{
    struct rows rows;
    rows_begin(&rows, database->sqlite, &database->digest, "INSERT INTO warning VALUES(?,?)");
    for (size_t i = 0; i < info->warning_count; i++) {
        rows_add_u64(&rows, i);
        rows_add_text(&rows, info->warnings[i]);
        rows_put(&rows);
    }
    return rows_end(&rows);
}

static void write_numbers(struct rows *rows, const struct number *numbers, size_t count,
                          const void *from)
{
    for (size_t i = 0; i < count; i++) {
        rows_add_text(rows, numbers[i].name);
        rows_add_u64(rows, load(from, &numbers[i]));
        rows_put(rows);
    }
}

int document_write(struct database *database, const struct session_info *info,
                   const struct symbol_jit *jit)
{
    const char *const values[] = {
        [TEXT_COMMAND] = info->command,       [TEXT_EXECUTABLE] = info->executable,
        [TEXT_STARTED_AT] = info->started_at, [TEXT_BACKEND] = info->backend,
        [TEXT_REASON] = info->backend_reason, [TEXT_EVENT] = info->event,
    };
    struct rows rows;
    rows_begin(&rows, database->sqlite, &database->digest, "INSERT INTO session VALUES(?,?)");
    write_numbers(&rows, info_numbers, array_length(info_numbers), info);
    write_numbers(&rows, jit_numbers, array_length(jit_numbers), jit);
    for (size_t i = 0; i < array_length(texts); i++) {
        rows_add_text(&rows, texts[i]);
        rows_add_text(&rows, values[i]);
        rows_put(&rows);
    }
    int error = rows_end(&rows);
    return error ? error : write_warnings(database, info);
}

/* The row of one name, which must be there. */
static void find(struct rows *rows, struct database *database, const char *name)
{
    rows_begin(rows, database->sqlite, &database->digest,
               "SELECT name, value FROM session WHERE name = ?");
    if (!rows->error && sqlite3_bind_text(rows->statement, 1, name, -1, SQLITE_STATIC))
        rows->error = -ENOMEM;
    if (!rows_next(rows) && !rows->error)
        rows->error = -EBADMSG;
    rows_text(rows);
}

static int read_number(struct database *database, const struct number *number, void *to)
{
    struct rows rows;
    find(&rows, database, number->name);
    uint64_t value = rows_u64(&rows, number->limit);
    if (!rows.error && value < number->min)
        rows.error = -EBADMSG;
    if (!rows.error)
        store(to, number, value);
    return rows_end(&rows);
}

static int read_numbers(struct database *database, const struct number *numbers, size_t count,
                        void *to)
{
    int error = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = read_number(database, &numbers[i], to);
    return error;
}

static int copy_text(struct rows *rows, struct budget *budget, char **ret_text)
{
    const char *text = rows_text(rows);
    if (!rows->error)
        rows->error = budget_take(budget, strlen(text) + 1, 1);
    if (rows->error)
        return rows->error;
    *ret_text = strdup(text);
    return *ret_text ? 0 : -ENOMEM;
}

static int read_text(struct database *database, const char *name, struct budget *budget,
                     char **ret_text)
{
    struct rows rows;
    find(&rows, database, name);
    int error = copy_text(&rows, budget, ret_text);
    int ended = rows_end(&rows);
    return error ? error : ended;
}

static int read_warnings(struct database *database, struct budget *budget,
                         struct session_info *info)
{
    struct rows rows;
    int error = 0;
    rows_begin(&rows, database->sqlite, &database->digest,
               "SELECT id, text FROM warning ORDER BY id");
    while (!error && rows_next(&rows)) {
        size_t count = info->warning_count;
        if (rows_u64(&rows, SESSION_WARNINGS_MAX) != count)
            error = -EBADMSG;
        else
            error = copy_text(&rows, budget, &info->warnings[count]);
        info->warning_count += !error;
    }
    int ended = rows_end(&rows);
    return error ? error : ended;
}

int document_read(struct database *database, struct budget *budget, struct saved_profile *profile)
{
    struct session_info *info = &profile->info;
    _cleanup_free_ char *started_at = NULL;
    char **const values[] = {
        [TEXT_COMMAND] = &info->command,          [TEXT_EXECUTABLE] = &info->executable,
        [TEXT_STARTED_AT] = &started_at,          [TEXT_BACKEND] = &profile->backend,
        [TEXT_REASON] = &profile->backend_reason, [TEXT_EVENT] = &profile->event,
    };
    struct symbol_jit jit = {0};
    int error = read_numbers(database, info_numbers, array_length(info_numbers), info);
    if (!error)
        error = read_numbers(database, jit_numbers, array_length(jit_numbers), &jit);
    for (size_t i = 0; i < array_length(texts) && !error; i++)
        error = read_text(database, texts[i], budget, values[i]);
    if (!error)
        error = read_warnings(database, budget, info);
    if (error)
        return error;
    if (strlen(started_at) >= sizeof info->started_at)
        return -EBADMSG;
    symbols_restore_jit(profile->symbols, &jit);
    memcpy(info->started_at, started_at, strlen(started_at) + 1);
    info->backend = profile->backend;
    info->backend_reason = profile->backend_reason;
    info->event = profile->event;
    return 0;
}
