/* A feed: turns a session into events. */
#include "http/event_feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "http/documents.h"
#include "http/view.h"

#define RETRY_MS 2000
/* Times are scaled anew at every tick: smaller changes than a part in this many are no news. */
#define TIME_TOLERANCE 200

static void lines_freep(struct query_lines **lines)
{
    query_lines_free(*lines);
}

#define _cleanup_lines_ __attribute__((cleanup(lines_freep)))
#define _cleanup_session_info_ __attribute__((cleanup(session_info_free)))

void event_feed_init(struct event_feed *feed, struct session *session, struct params *params)
{
    *feed = (struct event_feed){.session = session_ref(session), .params = *params};
    *params = (struct params){0};
    if (!feed->params.has_limit)
        feed->params.limit = 1000;
}

void event_feed_clear(struct event_feed *feed)
{
    query_lines_free(feed->rows);
    free(feed->session_text);
    free(feed->progress_text);
    params_free(&feed->params);
    session_unref(feed->session);
    *feed = (struct event_feed){0};
}

/* --- rows that differ ------------------------------------------------------------------------- */

static int compare_places(const void *left, const void *right)
{
    const struct query_line *a = left;
    const struct query_line *b = right;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

/* A copy of the rows, by file and line. NULL without memory. */
static struct query_line *sort_by_place(const struct query_lines *lines)
{
    struct query_line *rows = calloc(lines->count + 1, sizeof *rows);
    if (!rows)
        return NULL;
    if (lines->count)
        memcpy(rows, lines->rows, lines->count * sizeof *rows);
    qsort(rows, lines->count, sizeof *rows, compare_places);
    return rows;
}

static bool time_differs(uint64_t before, uint64_t after)
{
    uint64_t difference = before < after ? after - before : before - after;
    return difference > before / TIME_TOLERANCE;
}

static bool row_differs(const struct query_line *before, const struct query_line *after)
{
    return before->cost.self_hits != after->cost.self_hits ||
           before->cost.total_hits != after->cost.total_hits ||
           before->function != after->function ||
           time_differs(before->cost.self_time_ns, after->cost.self_time_ns) ||
           time_differs(before->cost.total_time_ns, after->cost.total_time_ns);
}

/* Appends rows of `after`, up to the limit, that are not the same in `before`. */
static int add_changed(cJSON *array, const struct profile_view *view,
                       const struct query_lines *before, const struct query_lines *after,
                       size_t limit)
{
    _cleanup_free_ struct query_line *known = before ? sort_by_place(before) : NULL;
    if (before && !known)
        return -ENOMEM;
    for (size_t i = 0; i < after->count && i < limit; i++) {
        const struct query_line *row = &after->rows[i];
        const struct query_line *same =
            before ? bsearch(row, known, before->count, sizeof *row, compare_places) : NULL;
        if (!same || row_differs(same, row))
            document_add_line(json_append_object(array), view, row);
    }
    return 0;
}

/* Appends rows that are gone (old buckets were dropped, or a symbol became better known): zeros. */
static int add_vanished(cJSON *array, const struct profile_view *view,
                        const struct query_lines *before, const struct query_lines *after)
{
    if (!before)
        return 0;
    _cleanup_free_ struct query_line *present = sort_by_place(after);
    if (!present)
        return -ENOMEM;
    for (size_t i = 0; i < before->count; i++) {
        struct query_line row = before->rows[i];
        if (bsearch(&row, present, after->count, sizeof row, compare_places))
            continue;
        row.cost = (struct query_cost){0};
        document_add_line(json_append_object(array), view, &row);
    }
    return 0;
}

/* --- events ----------------------------------------------------------------------------------- */

static void add_event(struct text *text, const char *name, const char *json)
{
    text_printf(text, "event: %s\n", name);
    text_add_string(text, "data: ");
    text_add_string(text, json);
    text_add_string(text, "\n\n");
}

static int add_document_event(struct text *text, const char *name, const cJSON *document)
{
    _cleanup_text_ struct text json = {0};
    int error = json_print(document, &json);
    if (!error)
        add_event(text, name, json.bytes);
    return error;
}

/* The block's id goes in front of its last event: until then the client has not seen all of it. */
static void add_id(struct text *text, uint64_t id_ns)
{
    text_printf(text, "id: %" PRIu64 "\n", id_ns);
}

static int add_lines_event(const struct event_feed *feed, const struct profile_view *view,
                           const struct query_lines *before, const struct query_lines *after,
                           uint64_t from_ns, bool reset, struct text *text)
{
    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    json_add_u64(document, "from_ns", from_ns);
    json_add_u64(document, "to_ns", feed->id_ns);
    json_add_bool(document, "reset", reset);
    document_add_total(document, &after->total);
    document_add_unknown(document, &after->unknown);
    json_add_u64(document, "count", after->count);
    cJSON *rows = json_add_array(document, "lines");
    int error;
    {
        _cleanup_symbols_lock_ const struct symbols *locked = view_lock_symbols(view);
        error = add_changed(rows, view, before, after, feed->params.limit);
        if (!error)
            error = add_vanished(rows, view, before, after);
    }
    return error ? error : add_document_event(text, "lines", document);
}

static char *print_progress(const struct session_info *info)
{
    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    struct text json = {0};
    document_add_progress(document, info);
    return json_print(document, &json) ? NULL : json.bytes;
}

static char *print_session(const struct session_info *info)
{
    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    struct text json = {0};
    document_add_session(document, info);
    return json_print(document, &json) ? NULL : json.bytes;
}

/* The parts of a session whose change is worth a session event, as text. */
static char *print_traits(const struct session_info *info)
{
    struct text traits = {0};
    text_printf(&traits, "%d %u %s", (int)info->state, info->frequency_hz, info->command);
    for (size_t i = 0; i < info->warning_count && i < SESSION_WARNINGS_MAX; i++)
        text_printf(&traits, "\n%s", info->warnings[i]);
    return traits.failed ? NULL : traits.bytes;
}

static bool replace_if_different(char **known, char *text)
{
    if (text && *known && !strcmp(*known, text)) {
        free(text);
        return false;
    }
    free(*known);
    *known = text;
    return text != NULL;
}

/* --- advancing -------------------------------------------------------------------------------- */

static void add_mark(struct event_feed *feed, uint64_t generation)
{
    struct feed_mark *last =
        feed->mark_count ? &feed->marks[(feed->mark_count - 1) % FEED_MARKS] : NULL;
    if (last && last->id_ns == feed->id_ns) {
        if (last->generation != generation)
            last->generation = 0;
        return;
    }
    feed->marks[feed->mark_count++ % FEED_MARKS] = (struct feed_mark){feed->id_ns, generation};
}

static uint64_t lock_and_read_generation(const struct profile_view *view)
{
    _cleanup_symbols_lock_ const struct symbols *locked = view_lock_symbols(view);
    return symbols_generation(view->symbols);
}

static struct query_options feed_options(const struct event_feed *feed)
{
    struct query_options options = params_query_options(&feed->params);
    return options;
}

/* Queries anew and adds the difference to what was known. */
static int advance_rows(struct event_feed *feed, struct text *text)
{
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_lines_ struct query_lines *rows = NULL;
    int error = session_view(feed->session, &view);
    if (error)
        return error;
    /* Read first: a publication in between is then only seen as one more change. */
    uint64_t generation = lock_and_read_generation(view);
    struct query_options options = feed_options(feed);
    error = query_lines(view, &options, &rows);
    if (error)
        return error;
    uint64_t from_ns = feed->id_ns;
    feed->id_ns = view->duration_ns;
    if (feed->has_rows)
        error = add_lines_event(feed, view, feed->rows, rows, from_ns, false, text);
    query_lines_free(feed->rows);
    feed->rows = take_pointer(rows);
    feed->has_rows = true;
    add_mark(feed, generation);
    return error;
}

static bool info_is_live(const struct session_info *info)
{
    return info->state == SESSION_ATTACHING || info->state == SESSION_RUNNING ||
           info->state == SESSION_PAUSED;
}

int event_feed_advance(struct event_feed *feed, struct text *text)
{
    _cleanup_session_info_ struct session_info info = {0};
    int error = session_info(feed->session, &info);
    if (error)
        return error;
    feed->ended = !info_is_live(&info);
    if (replace_if_different(&feed->session_text, print_traits(&info))) {
        _cleanup_free_ char *session = print_session(&info);
        if (session)
            add_event(text, "session", session);
    }
    _cleanup_text_ struct text lines = {0};
    if (!feed->has_rows || info.epoch != feed->epoch) {
        error = advance_rows(feed, &lines);
        if (error)
            return error;
        feed->epoch = info.epoch;
    }
    bool moved = replace_if_different(&feed->progress_text, print_progress(&info));
    if (moved && !lines.length)
        add_id(text, feed->id_ns);
    if (moved)
        add_event(text, "totals", feed->progress_text);
    if (lines.length) {
        add_id(text, feed->id_ns);
        text_add(text, lines.bytes, lines.length);
    }
    return text->failed || lines.failed ? -ENOMEM : 0;
}

/* --- clients that come, or come back -----------------------------------------------------------
 */

/* True when all that was sent up to this id is known to be what is known now. */
static bool is_resumable(const struct event_feed *feed, uint64_t id_ns, uint64_t generation)
{
    size_t kept = feed->mark_count < FEED_MARKS ? feed->mark_count : FEED_MARKS;
    for (size_t i = 0; i < kept; i++)
        if (feed->marks[i].id_ns == id_ns)
            return feed->marks[i].generation == generation && id_ns > 0;
    return false;
}

/* What the client had: the rows up to `id_ns`. */
static int query_until(const struct event_feed *feed, const struct profile_view *view,
                       uint64_t id_ns, struct query_lines **ret_rows)
{
    struct query_options options = feed_options(feed);
    if (!options.to_ns || options.to_ns > id_ns)
        options.to_ns = id_ns;
    if (options.to_ns <= options.from_ns)
        return -ERANGE;
    return query_lines(view, &options, ret_rows);
}

int event_feed_catch_up(struct event_feed *feed, bool has_last_id, uint64_t last_id_ns,
                        struct text *text)
{
    _cleanup_session_info_ struct session_info info = {0};
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_lines_ struct query_lines *before = NULL;
    int error = session_info(feed->session, &info);
    if (!error)
        error = session_view(feed->session, &view);
    if (error)
        return error;
    if (has_last_id && is_resumable(feed, last_id_ns, lock_and_read_generation(view)))
        (void)query_until(feed, view, last_id_ns, &before); /* else everything is sent */

    text_printf(text, "retry: %d\n\n", RETRY_MS);
    _cleanup_free_ char *session = print_session(&info);
    _cleanup_free_ char *progress = print_progress(&info);
    if (!session || !progress)
        return -ENOMEM;
    add_event(text, "session", session);
    add_event(text, "totals", progress);
    add_id(text, feed->id_ns);
    error = add_lines_event(feed, view, before, feed->rows, before ? last_id_ns : 0, !before, text);
    return text->failed ? -ENOMEM : error;
}
