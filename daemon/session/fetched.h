/* What a session asks debuginfod servers for, and what it says of that. */
#pragma once

#include "session/fetcher.h"
#include "session/session_private.h"

/* Starts the session's fetcher if DEBUGINFOD_URLS asks for it. 0, -ENOMEM or -EAGAIN. */
int session_start_fetcher(struct session *session);

/*
 * True when the module runs a share of the samples worth a warning or a download; needs the
 * session's mutex.
 */
bool session_module_matters(const struct session *session, uint32_t module, double *ret_percent);

/* Asks for the debug files of modules that matter and have none. */
void session_want_debug_files(struct session *session);

/* How the fetching goes, for a module's warning: malloc'ed, or NULL. */
char *session_describe_fetch(const struct session *session, const struct module *module);
/* The same for sources. */
char *session_describe_source_fetches(const struct session *session);
