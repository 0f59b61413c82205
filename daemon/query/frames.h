/* The frames of a walk's locations, copied so that the symbols' lock is held only meanwhile. */
#pragma once

#include "query/walk.h"

/*
 * The frames of location i are frames[first[i]] to frames[first[i + 1] - 1], the one that self cost
 * goes to first: at least one where the walk has the location (an unknown one while it is pending),
 * none elsewhere. With QUERY_INLINES_CALLED only the physical frame is there.
 */
struct query_frames {
    uint32_t function_count, file_count; /* all ids are below */
    uint32_t count;
    uint32_t *first;       /* owned */
    struct frame *frames;  /* owned */
    unsigned char *status; /* owned; enum symbol_status per location */
};

/* 0 or -ENOMEM. O(locations). */
int query_frames_new(const struct profile_view *view, const struct query_walk *walk,
                     enum query_inlines inlines, struct query_frames **ret_frames);
void query_frames_free(struct query_frames *frames);

static inline void query_frames_cleanup(struct query_frames **frames)
{
    query_frames_free(*frames);
}

#define _cleanup_query_frames_ __attribute__((cleanup(query_frames_cleanup)))
