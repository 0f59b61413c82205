/* Sources of a session: whether they can be read, and their text. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "lprofd/session.h"

/*
 * "found"; "kept" when the file has changed or gone since, but the session kept the text that the
 * program was built from; "stale", "missing", "fetching", "denied", "too_large", "not_a_file" or
 * "unreadable".
 */
const char *source_status(struct session *session, uint32_t file);
const char *source_status_of_error(int error);

/*
 * Reads a source as UTF-8, line by line what its compiler saw, each of them before a '\n': the text
 * that the program was built from if it is known, else a stale one. *ret_status is "found", "kept"
 * or "stale". 0 or -errno as session_open_source().
 */
int source_read(struct session *session, uint32_t file, struct text *ret_text,
                const char **ret_status);

/* The same, but nothing stale: -ESTALE. */
int source_read_built(struct session *session, uint32_t file, struct text *ret_text);

/* Whether that status says that lines may be off. */
bool source_is_stale(const char *status);
