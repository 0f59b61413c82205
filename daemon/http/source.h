/* Sources of a session: whether they can be read, and their text. */
#pragma once

#include "base/text.h"
#include "lprofd/session.h"

/* "found", "stale", "missing", "fetching", "denied", "too_large", "not_a_file" or "unreadable". */
const char *source_status(struct session *session, uint32_t file);
const char *source_status_of_error(int error);

/* Reads a source as UTF-8, line by line what the file has. 0 or -errno as session_open_source(). */
int source_read(struct session *session, uint32_t file, struct text *ret_text, bool *ret_stale);

/*
 * The same, but only the text that the program was built from: the file if it still is that, else
 * the copy that the session kept. -ENOENT and others when neither is known.
 */
int source_read_built(struct session *session, uint32_t file, struct text *ret_text);
