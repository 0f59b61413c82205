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
/* Looks at a session before a range that is past is asked for again: its old buckets may be gone.
 */
#define SETTLED_LOOKS 40

#define _cleanup_event_rows_ __attribute__((cleanup(event_rows_clear)))
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
    event_rows_clear(&feed->rows);
    free(feed->session_text);
    free(feed->progress_text);
    params_free(&feed->params);
    session_unref(feed->session);
    *feed = (struct event_feed){0};
}

/* --- events ----------------------------------------------------------------------------------- */

/* The block's id goes in front of its last event: until then the client has not seen all of it. */
static void add_id(struct text *text, uint64_t id_ns)
{
    text_printf(text, "id: %" PRIu64 "\n", id_ns);
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

/*
 * True when the answer cannot have changed: the range is past and no symbol became better known.
 * Then only the memory limit can take something from it.
 */
static bool is_settled(struct event_feed *feed, uint64_t generation)
{
    uint64_t to_ns = feed->params.to_ns;
    if (!feed->has_rows || !to_ns || feed->looked_ns < to_ns || generation != feed->generation)
        return false;
    return feed->settled_looks++ % SETTLED_LOOKS != 0;
}

/* Queries anew and adds the difference to what was known. */
static int advance_rows(struct event_feed *feed, struct text *text)
{
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_event_rows_ struct event_rows rows = {0};
    int error = session_view(feed->session, &view);
    if (error)
        return error;
    /* Read first: a publication in between is then only seen as one more change. */
    uint64_t generation = lock_and_read_generation(view);
    if (is_settled(feed, generation))
        return 0;
    struct query_options options = params_query_options(&feed->params);
    error = event_rows_query(view, &options, &feed->params, &rows);
    if (error)
        return error;
    bool same = false;
    struct event_range range = {feed->id_ns, view->duration_ns};
    if (feed->has_rows)
        error = event_rows_write(&feed->rows, &rows, view, &feed->params, range, text, &same);
    if (error)
        return error;
    feed->generation = generation;
    feed->looked_ns = view->duration_ns;
    if (!feed->has_rows || !same) {
        event_rows_clear(&feed->rows);
        feed->rows = rows;
        rows = (struct event_rows){0};
        feed->id_ns = range.to_ns;
        feed->has_rows = true;
    }
    add_mark(feed, generation);
    return 0;
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
            event_write(text, "session", session);
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
        event_write(text, "totals", feed->progress_text);
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
                       uint64_t id_ns, struct event_rows *ret_rows)
{
    struct query_options options = params_query_options(&feed->params);
    if (!options.to_ns || options.to_ns > id_ns)
        options.to_ns = id_ns;
    if (options.to_ns <= options.from_ns)
        return -ERANGE;
    return event_rows_query(view, &options, &feed->params, ret_rows);
}

int event_feed_catch_up(struct event_feed *feed, bool has_last_id, uint64_t last_id_ns,
                        struct text *text)
{
    _cleanup_session_info_ struct session_info info = {0};
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_event_rows_ struct event_rows before = {0};
    int error = session_info(feed->session, &info);
    if (!error)
        error = session_view(feed->session, &view);
    if (error)
        return error;
    bool knows = false;
    if (has_last_id && is_resumable(feed, last_id_ns, lock_and_read_generation(view)))
        knows = !query_until(feed, view, last_id_ns, &before); /* else everything is sent */

    text_printf(text, "retry: %d\n\n", RETRY_MS);
    _cleanup_free_ char *session = print_session(&info);
    _cleanup_free_ char *progress = print_progress(&info);
    if (!session || !progress)
        return -ENOMEM;
    event_write(text, "session", session);
    event_write(text, "totals", progress);
    add_id(text, feed->id_ns);
    struct event_range range = {knows ? last_id_ns : 0, feed->id_ns};
    error = event_rows_write(knows ? &before : NULL, &feed->rows, view, &feed->params, range, text,
                             NULL);
    return text->failed ? -ENOMEM : error;
}
