/* Reading a session's profile in a handler. */
#pragma once

#include "http/request.h"
#include "lprofd/profile.h"
#include "lprofd/query.h"

static inline void view_freep(struct profile_view **view)
{
    profile_view_free(*view);
}

static inline void symbols_unlockp(const struct symbols **symbols)
{
    if (*symbols)
        symbols_unlock(*symbols);
}

static inline const struct symbols *view_lock_symbols(const struct profile_view *view)
{
    symbols_lock_shared(view->symbols);
    return view->symbols;
}

#define _cleanup_view_ __attribute__((cleanup(view_freep)))
#define _cleanup_symbols_lock_ __attribute__((cleanup(symbols_unlockp), unused))

/* Turns the error of a query into a reply: a focus (or the like) that cannot be understood is the
 * client's. */
int view_query_failed(struct reply *reply, int error);

/*
 * The path that debug information gives the file of the request, for the caller to free. False when
 * the session does not know it, or without memory: the reply is a 404 problem.
 */
bool view_find_file(struct request *request, const struct profile_view *view, char **ret_path,
                    struct reply *reply);

/*
 * Answers that are arrays have their next page in a Link header (RFC 8288) with rel="next"; there
 * is none on the last page.
 */
void reply_add_next_link(struct reply *reply, const struct request *request,
                         const struct profile_view *view, size_t end, size_t count);
