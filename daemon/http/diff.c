/* The handler of comparisons: two ranges or two sessions, row by row. */
#include <errno.h>

#include "base/cleanup.h"
#include "http/documents.h"
#include "http/handlers.h"
#include "http/server_state.h"
#include "http/source.h"
#include "http/view.h"
#include "lprofd/diff.h"

static const char *const side_names[DIFF_SIDES] = {"a", "b"};

/* One of the two things that are compared. */
struct compared {
    struct session *session;   /* owned reference */
    struct profile_view *view; /* owned */
    uint32_t id;
    struct params_diff_focus focus;
};

static void compared_clear(struct compared (*sides)[DIFF_SIDES])
{
    for (int side = 0; side < DIFF_SIDES; side++) {
        profile_view_free((*sides)[side].view);
        session_unref((*sides)[side].session);
    }
}

static void diff_freep(struct diff **diff)
{
    query_diff_free(*diff);
}

/* False when `reply` was made a problem. */
static bool check_side(const struct params_side *asked, const char *name, struct reply *reply)
{
    if (!asked->to_ns || asked->to_ns > asked->from_ns)
        return true;
    reply_problem(reply, MHD_HTTP_BAD_REQUEST, "Empty range", "%s_to_ns must be after %s_from_ns.",
                  name, name);
    return false;
}

/* Answers 404 with `reply` when there is no such session. 0 or -errno. */
static int open_side(struct request *request, enum diff_side side, struct compared *compared,
                     struct reply *reply)
{
    struct session_info info;
    uint32_t asked = request->params.diff.sides[side].session;
    compared->session = session_registry_get(request->server->registry, asked);
    if (!compared->session && asked)
        return reply_problem(reply, MHD_HTTP_NOT_FOUND, "No such session",
                             "There is no session %u, which %s is to be.", asked, side_names[side]);
    if (!compared->session)
        return reply_problem(reply, MHD_HTTP_NOT_FOUND, "No session",
                             "Nothing is being profiled; attach with POST /api/v1/sessions.");
    int error = session_info(compared->session, &info);
    if (error)
        return error;
    compared->id = info.id;
    session_info_free(&info);
    return session_view(compared->session, &compared->view);
}

/* struct diff_sources. */
static int read_source(void *user, enum diff_side side, uint32_t file, struct text *ret_text)
{
    const struct compared *sides = user;
    return source_read_built(sides[side].session, file, ret_text);
}

/* Numbers that may be tiny; json_add_double() is for percentages. */
static void add_probability(cJSON *object, const char *key, double value)
{
    _cleanup_text_ struct text raw = {0};
    text_printf(&raw, "%.6g", value);
    json_add_raw(object, key, &raw);
}

static void add_id_or_null(cJSON *object, const char *key, uint32_t id)
{
    if (id)
        json_add_u64(object, key, id);
    else
        json_add_null(object, key);
}

/* The caller holds the lock of the view's symbols. */
static void add_place(cJSON *row, const char *key, const struct profile_view *view,
                      const struct diff_place *place)
{
    cJSON *object = json_add_object(row, key);
    add_id_or_null(object, "file", place->file);
    if (place->file)
        json_add_string(object, "path", symbols_file(view->symbols, place->file).path);
    else
        json_add_null(object, "path");
    add_id_or_null(object, "line", place->line);
    document_add_cost(object, &place->cost);
}

static void add_function(cJSON *row, const struct profile_view *view, uint32_t id)
{
    struct symbol_function function = symbols_function(view->symbols, id);
    json_add_string(row, "function", function.name);
    json_add_string(row, "module", document_module(view, function.module));
}

static void add_evidence(cJSON *row, const struct diff_evidence *evidence)
{
    static const char *const tests[] = {
        [DIFF_TEST_NONE] = "none", [DIFF_TEST_Z] = "z", [DIFF_TEST_FISHER] = "fisher"};
    json_add_double(row, "delta_percent", evidence->delta * 100);
    json_add_double(row, "delta_low", evidence->low * 100);
    json_add_double(row, "delta_high", evidence->high * 100);
    json_add_string(row, "test", tests[evidence->test]);
    add_probability(row, "p_value", evidence->p_value);
    add_probability(row, "q_value", evidence->q_value);
    json_add_bool(row, "significant", evidence->significant);
}

static const char *alignment_name(enum diff_alignment alignment)
{
    static const char *const names[] = {
        [DIFF_ALIGNED_SAME] = "same",         [DIFF_ALIGNED_TEXT] = "text",
        [DIFF_ALIGNED_FUNCTION] = "function", [DIFF_ALIGNED_NUMBER] = "number",
        [DIFF_ALIGNED_NONE] = "none",
    };
    return names[alignment];
}

/* Whose function names the row: b's where b has samples, else a's. */
static enum diff_side naming_side(const struct diff_row *row, enum diff_kind kind)
{
    if (kind == DIFF_FUNCTIONS)
        return row->presence == DIFF_ONLY_IN_A ? DIFF_A : DIFF_B;
    return row->sides[DIFF_B].function ? DIFF_B : DIFF_A;
}

static void add_row(cJSON *object, const struct compared sides[DIFF_SIDES], enum diff_kind kind,
                    const struct diff_row *row)
{
    static const char *const presences[] = {
        [DIFF_IN_BOTH] = "both", [DIFF_ONLY_IN_A] = "a", [DIFF_ONLY_IN_B] = "b"};
    enum diff_side naming = naming_side(row, kind);
    {
        _cleanup_symbols_lock_ const struct symbols *locked = view_lock_symbols(sides[naming].view);
        add_function(object, sides[naming].view, row->sides[naming].function);
    }
    json_add_string(object, "presence", presences[row->presence]);
    if (kind == DIFF_LINES)
        json_add_string(object, "alignment", alignment_name(row->alignment));
    for (int side = 0; side < DIFF_SIDES; side++) {
        _cleanup_symbols_lock_ const struct symbols *locked = view_lock_symbols(sides[side].view);
        add_place(object, side_names[side], sides[side].view, &row->sides[side]);
    }
    add_evidence(object, &row->evidence);
}

/* Where a side's range ends: what a client asks for again to see the same. */
static uint64_t end_of(const struct query_options *options, const struct profile_view *view)
{
    uint64_t end_ns = view->duration_ns ? view->duration_ns : 1;
    return options->to_ns && options->to_ns < end_ns ? options->to_ns : end_ns;
}

static void add_sides(cJSON *document, const struct compared sides[DIFF_SIDES],
                      const struct diff_options *options, const struct diff *diff)
{
    for (int side = 0; side < DIFF_SIDES; side++) {
        cJSON *object = json_add_object(document, side_names[side]);
        json_add_u64(object, "session", sides[side].id);
        json_add_u64(object, "from_ns", options->queries[side].from_ns);
        json_add_u64(object, "to_ns", end_of(&options->queries[side], sides[side].view));
        document_add_total(object, &diff->total[side]);
        if (options->kind == DIFF_LINES)
            document_add_unknown(object, &diff->unknown[side]);
    }
}

static void add_file(cJSON *document, const struct diff *diff)
{
    cJSON *file = json_add_object(document, "file");
    add_id_or_null(file, "a", diff->files[DIFF_A]);
    add_id_or_null(file, "b", diff->files[DIFF_B]);
    json_add_string(file, "alignment", alignment_name(diff->alignment));
    _cleanup_text_ struct text runs = {0};
    text_add(&runs, "[", 1);
    for (size_t i = 0; i < diff->run_count; i++)
        text_printf(&runs, "%s[%u,%u,%u]", i ? "," : "", diff->runs[i].a, diff->runs[i].b,
                    diff->runs[i].count);
    text_add(&runs, "]", 1);
    json_add_raw(file, "runs", &runs);
}

static int reply_diff(const struct request *request, const struct compared sides[DIFF_SIDES],
                      const struct diff_options *options, const struct diff *diff,
                      struct reply *reply)
{
    const struct params *params = &request->params;
    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    json_add_string(document, "kind", options->kind == DIFF_LINES ? "lines" : "functions");
    json_add_string(document, "share", params->diff.share == QUERY_SORT_SELF ? "self" : "total");
    add_sides(document, sides, options, diff);
    if (options->file)
        add_file(document, diff);
    size_t first = params->diff.offset < diff->count ? (size_t)params->diff.offset : diff->count;
    size_t left = diff->count - first;
    size_t end = first + (params->limit < left && !options->file ? params->limit : left);
    cJSON *rows = json_add_array(document, "rows");
    for (size_t i = first; i < end; i++)
        add_row(json_append_object(rows), sides, options->kind, &diff->rows[i]);
    json_add_u64(document, "count", diff->count);
    json_add_u64(document, "significant", diff->significant_count);
    return reply_json(reply, document);
}

static int explain(const struct request *request, struct reply *reply, int error)
{
    if (error == -EINVAL)
        return reply_problem(
            reply, MHD_HTTP_BAD_REQUEST, "Query parameter out of range",
            "The query parameters 'focus', 'hide', 'a_focus' and 'b_focus' must be a "
            "function, file:line, or a path of functions separated by ';'.");
    if (error == -ENOENT)
        return reply_problem(reply, MHD_HTTP_NOT_FOUND, "No such file",
                             "b's session knows no file %u.", request->params.diff.file);
    return error;
}

int handle_diff(struct request *request, struct reply *reply)
{
    const struct params_diff *asked = &request->params.diff;
    _cleanup_(compared_clear) struct compared sides[DIFF_SIDES] = {0};
    _cleanup_(diff_freep) struct diff *diff = NULL;
    struct diff_sources sources = {read_source, sides};
    struct diff_options options = {
        .kind = asked->kind,
        .sort = asked->sort,
        .file = asked->file,
        .sources = &sources,
    };
    if (asked->file && asked->kind != DIFF_LINES)
        return reply_problem(reply, MHD_HTTP_BAD_REQUEST, "Query parameters do not fit",
                             "The query parameter 'file' needs kind=lines.");
    for (int side = 0; side < DIFF_SIDES; side++) {
        if (!check_side(&asked->sides[side], side_names[side], reply))
            return 0;
        int error = open_side(request, (enum diff_side)side, &sides[side], reply);
        if (error || reply->status)
            return error;
        options.views[side] = sides[side].view;
        options.queries[side] =
            params_diff_options(&request->params, (enum diff_side)side, &sides[side].focus);
    }
    int error = query_diff(&options, &diff);
    return error ? explain(request, reply, error)
                 : reply_diff(request, sides, &options, diff, reply);
}
