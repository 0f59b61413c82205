/* A small HTTP client: fetches documents of a running lprofd for lprof. */
#pragma once

#include <stdbool.h>

#include "base/failure.h"
#include "base/text.h"

/* True when the argument is a URL rather than a file. */
bool client_is_url(const char *argument);

/* What stands behind "http://HOST[:PORT]" of a URL: "", "/", "/api/v1/sessions/1". Borrowed. */
const char *client_url_rest(const char *url);

/*
 * GETs `path` ("/api/v1/...") of the daemon at `url` ("http://HOST[:PORT][/]"; what follows the
 * host is ignored) and appends the body to `to`. `token` may be NULL. -EINVAL for a URL that is not
 * one, -ECONNREFUSED and others of connect(2), -ENOENT for 404, -EACCES for 401 and 403, -EIO for
 * other answers, -EFBIG above 1 GiB; *ret_failure says what the daemon said.
 */
int client_get(const char *url, const char *path, const char *token, struct text *to,
               struct failure *ret_failure);
