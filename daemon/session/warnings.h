/* What is wrong with a session's numbers or could be better, in words for people. */
#pragma once

#include "session/session_private.h"

/*
 * Adds the session's warnings to `info`, whose numbers are there, as many as fit; `losses` are
 * those of its buckets. Needs the mutex.
 */
void session_warn(const struct session *session, const struct bucket_losses *losses,
                  struct session_info *info);
