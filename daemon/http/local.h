/* Answers of the REST interface without a server: for programs that have the sessions themselves.
 */
#pragma once

#include "base/failure.h"
#include "base/text.h"
#include "lprofd/session.h"

/*
 * Appends the body of the answer to GET `target` ("/api/v1/...") to `to`. 0; -ENOENT for what a
 * server answers 404, -EIO for other problems, or -ENOMEM; *ret_failure says why.
 */
int local_get(struct session_registry *registry, const char *target, struct text *to,
              struct failure *ret_failure);
