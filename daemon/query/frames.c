/* The frames of a walk's locations, copied so that the symbols' lock is held only meanwhile. */
#include "query/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

static int add_span(struct query_frames *frames, size_t *capacity, struct frame_span span,
                    enum query_inlines inlines)
{
    static const struct frame unknown = {0};
    if (span.count == 0)
        span = (struct frame_span){.frames = &unknown, .count = 1};
    if (inlines == QUERY_INLINES_CALLED) {
        span.frames += span.count - 1;
        span.count = 1;
    }
    size_t want = (size_t)frames->count + span.count;
    if (want > UINT32_MAX || array_reserve(&frames->frames, capacity, want, sizeof *span.frames))
        return -ENOMEM;
    memcpy(frames->frames + frames->count, span.frames, span.count * sizeof *span.frames);
    frames->count = (uint32_t)want;
    return 0;
}

static int copy_locked(const struct symbols *symbols, const unsigned char *used,
                       uint32_t location_count, enum query_inlines inlines,
                       struct query_frames *frames)
{
    size_t capacity = 0;
    for (uint32_t i = 0; i < location_count; i++) {
        frames->first[i] = frames->count;
        if (!used[i])
            continue;
        struct frame_span span = symbols_frames(symbols, i);
        frames->status[i] = (unsigned char)span.status;
        int error = add_span(frames, &capacity, span, inlines);
        if (error)
            return error;
    }
    frames->first[location_count] = frames->count;
    frames->function_count = symbols_function_count(symbols);
    frames->file_count = symbols_file_count(symbols);
    return 0;
}

int query_frames_new(const struct profile_view *view, const struct query_walk *walk,
                     enum query_inlines inlines, struct query_frames **ret_frames)
{
    size_t places = walk->location_count + 1ul;
    _cleanup_query_frames_ struct query_frames *frames = calloc(1, sizeof *frames);
    _cleanup_free_ unsigned char *used = calloc(places, 1);
    if (!frames || !used)
        return -ENOMEM;
    frames->first = malloc(places * sizeof *frames->first);
    frames->status = calloc(places, 1);
    if (!frames->first || !frames->status)
        return -ENOMEM;
    for (uint32_t i = 1; i < walk->count; i++)
        used[walk->location[i]] = 1;

    symbols_lock_shared(view->symbols);
    int error = copy_locked(view->symbols, used, walk->location_count, inlines, frames);
    symbols_unlock(view->symbols);
    if (!error)
        *ret_frames = take_pointer(frames);
    return error;
}

void query_frames_free(struct query_frames *frames)
{
    if (!frames)
        return;
    free(frames->first);
    free(frames->frames);
    free(frames->status);
    free(frames);
}
