/* The timeline's handler. */
#include "base/cleanup.h"
#include "http/documents.h"
#include "http/handlers.h"
#include "http/view.h"

#define STEP_DEFAULT_NS UINT64_C(1000000000)

static void timeline_freep(struct query_timeline **timeline)
{
    query_timeline_free(*timeline);
}

static void add_series(cJSON *row, const struct profile_view *view,
                       const struct query_timeline *timeline, size_t series)
{
    bool is_others = timeline->other_count && series == timeline->series_count - 1;
    document_add_thread(row, "name", view,
                        is_others ? QUERY_OTHER_THREADS : timeline->threads[series],
                        timeline->other_count);
    json_add_u64(row, "threads", is_others ? timeline->other_count : 1);
    size_t first = series * timeline->step_count;
    json_add_u64_column(row, "time_ns", timeline->time_ns + first, timeline->step_count);
    json_add_u64_column(row, "hits", timeline->hits + first, timeline->step_count);
}

int handle_timeline(struct request *request, struct reply *reply)
{
    _cleanup_view_ struct profile_view *view = NULL;
    _cleanup_(timeline_freep) struct query_timeline *timeline = NULL;
    const struct params *params = &request->params;
    struct query_options options = params_query_options(params);
    struct query_timeline_options shape = {
        .step_ns = params->step_ns || params->points ? params->step_ns : STEP_DEFAULT_NS,
        .points = params->points,
        .series_max = params->has_limit ? params->limit : 0,
    };
    int error = session_view(request->session, &view);
    if (error)
        return error;
    error = query_timeline(view, &options, &shape, &timeline);
    if (error)
        return view_query_failed(reply, error);

    _cleanup_json_ cJSON *document = cJSON_CreateObject();
    json_add_u64(document, "start_ns", timeline->start_ns);
    json_add_u64(document, "step_ns", timeline->step_ns);
    cJSON *series = json_add_array(document, "series");
    for (size_t i = 0; i < timeline->series_count; i++)
        add_series(json_append_object(series), view, timeline, i);
    return reply_json(reply, document);
}
