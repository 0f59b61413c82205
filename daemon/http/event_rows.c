/* The table that a feed shows, lines or functions, and what changed of it as an event. */
#include "http/event_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/documents.h"
#include "http/view.h"

/* Times are scaled anew at every tick: smaller changes than a part in this many are no news. */
#define TIME_TOLERANCE 200

void event_rows_clear(struct event_rows *rows)
{
    query_lines_free(rows->lines);
    query_functions_free(rows->functions);
    *rows = (struct event_rows){0};
}

static void keep_file(struct query_lines *lines, uint32_t file)
{
    size_t count = 0;
    for (size_t i = 0; i < lines->count; i++)
        if (lines->rows[i].file == file)
            lines->rows[count++] = lines->rows[i];
    lines->count = count;
}

int event_rows_query(const struct profile_view *view, const struct query_options *options,
                     const struct params *params, struct event_rows *ret_rows)
{
    struct event_rows rows = {0};
    int error = params->functions ? query_functions(view, options, &rows.functions)
                                  : query_lines(view, options, &rows.lines);
    if (error)
        return error;
    if (params->file)
        keep_file(rows.lines, params->file);
    *ret_rows = rows;
    return 0;
}

/* --- rows that differ ------------------------------------------------------------------------- */

/* Either kind of row as a thing that is somewhere and costs something. */
struct item {
    uint64_t place; /* file and line, or the function */
    uint32_t function;
    const struct query_cost *cost;
    size_t index;
};

struct items {
    struct item *rows; /* owned */
    size_t count;
};

static void items_clear(struct items *items)
{
    free(items->rows);
}

#define _cleanup_items_ __attribute__((cleanup(items_clear)))

static size_t row_count(const struct event_rows *rows)
{
    return rows->lines ? rows->lines->count : rows->functions->count;
}

/* In the order of the table. */
static int list_items(const struct event_rows *rows, struct items *ret_items)
{
    size_t count = row_count(rows);
    struct item *items = calloc(count + 1, sizeof *items);
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (rows->lines) {
            const struct query_line *row = &rows->lines->rows[i];
            uint64_t place = (uint64_t)row->file << 32 | row->line;
            items[i] = (struct item){place, row->function, &row->cost, i};
        } else {
            const struct query_function *row = &rows->functions->rows[i];
            items[i] = (struct item){row->function, row->function, &row->cost, i};
        }
    }
    *ret_items = (struct items){items, count};
    return 0;
}

static int compare_places(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    return (a->place > b->place) - (a->place < b->place);
}

static int list_by_place(const struct event_rows *rows, struct items *ret_items)
{
    int error = list_items(rows, ret_items);
    if (!error)
        qsort(ret_items->rows, ret_items->count, sizeof *ret_items->rows, compare_places);
    return error;
}

static const struct item *find_item(const struct items *items, const struct item *wanted)
{
    return bsearch(wanted, items->rows, items->count, sizeof *wanted, compare_places);
}

static bool time_differs(uint64_t before, uint64_t after)
{
    uint64_t difference = before < after ? after - before : before - after;
    return difference > before / TIME_TOLERANCE;
}

static bool item_differs(const struct item *before, const struct item *after)
{
    return before->cost->self_hits != after->cost->self_hits ||
           before->cost->total_hits != after->cost->total_hits ||
           before->function != after->function ||
           time_differs(before->cost->self_time_ns, after->cost->self_time_ns) ||
           time_differs(before->cost->total_time_ns, after->cost->total_time_ns);
}

static void append_row(cJSON *array, const struct profile_view *view, const struct event_rows *rows,
                       size_t index, bool is_gone)
{
    if (rows->lines) {
        struct query_line row = rows->lines->rows[index];
        if (is_gone)
            row.cost = (struct query_cost){0};
        document_add_line(json_append_object(array), view, &row);
    } else {
        struct query_function row = rows->functions->rows[index];
        if (is_gone)
            row.cost = (struct query_cost){0};
        document_add_function(json_append_object(array), view, &row);
    }
}

/* Appends rows of `after`, up to the limit, that are not the same in `before`. */
static int append_changed(cJSON *array, const struct profile_view *view,
                          const struct event_rows *before, const struct event_rows *after,
                          size_t limit, bool *ret_same)
{
    _cleanup_items_ struct items known = {0}, items = {0};
    bool same = true;
    int error = before ? list_by_place(before, &known) : 0;
    if (!error)
        error = list_items(after, &items);
    if (error)
        return error;
    /* Past the limit it is enough to know whether anything changed. */
    for (size_t i = 0; i < items.count && (i < limit || same); i++) {
        const struct item *was = before ? find_item(&known, &items.rows[i]) : NULL;
        if (was && !item_differs(was, &items.rows[i]))
            continue;
        same = false;
        if (i < limit)
            append_row(array, view, after, i, false);
    }
    *ret_same = same;
    return 0;
}

/* Appends rows that are gone (old buckets were dropped, or a symbol became better known): zeros. */
static int append_vanished(cJSON *array, const struct profile_view *view,
                           const struct event_rows *before, const struct event_rows *after)
{
    _cleanup_items_ struct items present = {0}, items = {0};
    int error = list_by_place(after, &present);
    if (!error)
        error = list_items(before, &items);
    for (size_t i = 0; i < items.count && !error; i++)
        if (!find_item(&present, &items.rows[i]))
            append_row(array, view, before, i, true);
    return error;
}

/* --- events ----------------------------------------------------------------------------------- */

void event_write(struct text *text, const char *name, const char *json)
{
    text_printf(text, "event: %s\n", name);
    text_add_string(text, "data: ");
    text_add_string(text, json);
    text_add_string(text, "\n\n");
}

static const struct query_total *total_of(const struct event_rows *rows)
{
    return rows->lines ? &rows->lines->total : &rows->functions->total;
}

static bool reasons_differ(const struct query_lines *before, const struct query_lines *after)
{
    if (!before || !after)
        return false;
    for (size_t i = 0; i < SYMBOL_STATUS_COUNT; i++)
        if (before->unknown.hits_by_status[i] != after->unknown.hits_by_status[i])
            return true;
    return false;
}

/* The sums beside the rows. */
static bool sums_differ(const struct event_rows *before, const struct event_rows *after)
{
    const struct query_total *was = total_of(before), *is = total_of(after);
    return was->hits != is->hits || time_differs(was->time_ns, is->time_ns) ||
           row_count(before) != row_count(after) || reasons_differ(before->lines, after->lines);
}

static void add_head(cJSON *document, const struct event_rows *rows, struct event_range range,
                     bool reset)
{
    json_add_u64(document, "from_ns", range.from_ns);
    json_add_u64(document, "to_ns", range.to_ns);
    json_add_bool(document, "reset", reset);
    document_add_total(document, total_of(rows));
    if (rows->lines)
        document_add_unknown(document, &rows->lines->unknown);
    json_add_u64(document, "count", row_count(rows));
}

int event_rows_write(const struct event_rows *before, const struct event_rows *after,
                     const struct profile_view *view, const struct params *params,
                     struct event_range range, struct text *text, bool *ret_same)
{
    const char *name = after->lines ? "lines" : "functions";
    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    _cleanup_text_ struct text json = {0};
    add_head(document, after, range, !before);
    cJSON *rows = json_add_array(document, name);
    bool rows_same = false;
    int error;
    {
        _cleanup_symbols_lock_ const struct symbols *locked = view_lock_symbols(view);
        size_t limit = params->file ? SIZE_MAX : params->limit;
        error = append_changed(rows, view, before, after, limit, &rows_same);
        if (!error && before)
            error = append_vanished(rows, view, before, after);
    }
    if (error)
        return error;
    bool same = ret_same && before && rows_same && !sums_differ(before, after);
    if (ret_same)
        *ret_same = same;
    if (same)
        return 0;
    error = json_print(document, &json);
    if (!error)
        event_write(text, name, json.bytes);
    return error;
}
