/* Parts of documents that several resources share: costs, rows, sessions, totals. */
#pragma once

#include "http/json.h"
#include "http/params.h"
#include "lprofd/query.h"
#include "lprofd/session.h"

/* Adds self_hits ... percent_high. */
void document_add_cost(cJSON *object, const struct query_cost *cost);
/* "total": {hits, time_ns} */
void document_add_total(cJSON *object, const struct query_total *total);
/* "unknown": the numbers, and "reasons": {"no_debug_info": hits, ...} for those that occur. */
void document_add_unknown(cJSON *object, const struct query_unknown *unknown);

/*
 * Adds "tid" and the name, as `name_key`, of a thread of the view; QUERY_OTHER_THREADS has tid 0
 * and is "N other threads".
 */
void document_add_thread(cJSON *row, const char *name_key, const struct profile_view *view,
                         uint32_t thread, size_t others);

/* Line and function rows; the caller holds the symbols' shared lock. */
void document_add_line(cJSON *row, const struct profile_view *view, const struct query_line *line);
void document_add_function(cJSON *row, const struct profile_view *view,
                           const struct query_function *function);
/* Only the numbers that belong to one file's listing: the row without file and path. */
void document_add_file_line(cJSON *row, const struct profile_view *view,
                            const struct query_line *line);

/* The session document of API.md. */
void document_add_session(cJSON *object, const struct session_info *info);
/* Only what changes from tick to tick. */
void document_add_progress(cJSON *object, const struct session_info *info);

/* Module path of a symbols_function() or symbols_file() module id; "" unknown. */
const char *document_module(const struct profile_view *view, uint32_t module);

/* A page of `count` rows: [*ret_first, *ret_end). */
void page_bounds(const struct params *params, size_t count, size_t *ret_first, size_t *ret_end);
/* The cursor of the page that starts at row `end`; all pages end where the first one's range did.
 */
void page_next_cursor(const struct params *params, const struct profile_view *view, size_t end,
                      char ret_cursor[static CURSOR_BYTES]);
/* Adds "next_cursor": a string, or null on the last page. */
void document_add_next_cursor(cJSON *object, const struct params *params,
                              const struct profile_view *view, size_t end, size_t count);
