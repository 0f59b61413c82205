/* The table that a feed shows, lines or functions, and what changed of it as an event. */
#pragma once

#include "base/text.h"
#include "http/params.h"
#include "lprofd/query.h"

/* One of them is there. */
struct event_rows {
    struct query_lines *lines;         /* owned */
    struct query_functions *functions; /* owned */
};

/* From when to when an event's news are; to_ns is its id. */
struct event_range {
    uint64_t from_ns, to_ns;
};

/* The table that the parameters ask for. 0 or -errno of queries. */
int event_rows_query(const struct profile_view *view, const struct query_options *options,
                     const struct params *params, struct event_rows *ret_rows);
void event_rows_clear(struct event_rows *rows);

/*
 * Adds an event of the rows that differ from `before`, up to the limit, or of all, with "reset":
 * true, when that is NULL. Unless ret_same is NULL it adds nothing when no row and no sum differs,
 * and says so. 0 or -ENOMEM.
 */
int event_rows_write(const struct event_rows *before, const struct event_rows *after,
                     const struct profile_view *view, const struct params *params,
                     struct event_range range, struct text *text, bool *ret_same);

/* "event: NAME\ndata: JSON\n\n" */
void event_write(struct text *text, const char *name, const char *json);
