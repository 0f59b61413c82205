/* Which samples a query counts: a time range, threads and a focus; and how long each one is. */
#include "query/filter.h"

#include <errno.h>
#include <stdlib.h>

#include "aggregate/time_scale.h"
#include "query/focus.h"

static bool wants_thread(const struct query_options *options, pid_t tid)
{
    for (size_t i = 0; i < options->tid_count; i++)
        if (options->tids[i] == tid)
            return true;
    return options->tid_count == 0;
}

static int init(struct query_filter *filter, const struct profile_view *view,
                const struct query_options *options)
{
    size_t thread_count = view->thread_count ? view->thread_count : 1;
    filter->threads = calloc(thread_count, sizeof *filter->threads);
    filter->scales = calloc(thread_count, sizeof *filter->scales);
    if (!filter->threads || !filter->scales)
        return -ENOMEM;
    struct time_scale scale =
        time_scale_of(view->threads, view->thread_count, view->period_ns, view->accounted_ns);
    for (size_t i = 0; i < view->thread_count; i++) {
        filter->threads[i] = wants_thread(options, view->threads[i].tid);
        filter->scales[i] = time_scale_of_thread(&scale, &view->threads[i]);
    }
    bool all = options->focus_count == 0 && options->hide_count == 0;
    return all ? 0 : query_focus_mark(view, options, &filter->nodes);
}

int query_filter_init(struct query_filter *filter, const struct profile_view *view,
                      const struct query_options *options)
{
    *filter = (struct query_filter){
        .from_ns = options->from_ns,
        .to_ns = options->to_ns ? options->to_ns : UINT64_MAX,
    };
    int error = init(filter, view, options);
    if (error)
        query_filter_clear(filter);
    return error;
}

void query_filter_clear(struct query_filter *filter)
{
    free(filter->threads);
    free(filter->scales);
    free(filter->nodes);
    *filter = (struct query_filter){0};
}
