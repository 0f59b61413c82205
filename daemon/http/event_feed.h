/* A feed: turns a session, as some parameters show it, into the events that its watchers get. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "http/event_rows.h"
#include "lprofd/session.h"

/* Ids that were sent, so that a client that returns gets the difference. */
#define FEED_MARKS 256

struct feed_mark {
    uint64_t id_ns;
    uint64_t generation; /* of the symbols; 0: two generations shared this id */
};

/* Used by one thread only. */
struct event_feed {
    struct session *session; /* owned reference */
    struct params params;    /* owned */
    char *session_text;      /* owned; the session event that was sent last, less its numbers */
    char *progress_text;     /* owned; the totals event that was sent last */
    struct event_rows rows;  /* owned; what the events of rows add up to */
    uint64_t id_ns;          /* ... up to this time of the session */
    uint64_t generation;     /* ... with what the symbols knew then */
    uint64_t looked_ns;      /* how long the session was when it was asked last */
    unsigned settled_looks;  /* since the range is past */
    uint64_t epoch;
    bool has_rows;
    bool ended; /* the session no longer samples */
    struct feed_mark marks[FEED_MARKS];
    size_t mark_count; /* ever; the array is a ring */
};

void event_feed_init(struct event_feed *feed, struct session *session, struct params *params);
void event_feed_clear(struct event_feed *feed);

/*
 * Looks at the session and adds what changed since the last call to `text`: nothing, or a block of
 * events whose last one carries the id. 0 or -errno.
 */
int event_feed_advance(struct event_feed *feed, struct text *text);

/*
 * Adds all that a new client needs to be where the feed is: since `last_id_ns` if it was there
 * before and that is still known, else everything, with "reset": true.
 */
int event_feed_catch_up(struct event_feed *feed, bool has_last_id, uint64_t last_id_ns,
                        struct text *text);
