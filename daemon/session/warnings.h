/* What is wrong with a session's numbers or could be better, in words for people. */
#pragma once

#include "session/session_private.h"

/*
 * Adds the session's warnings to `info`, whose numbers are there, as many as fit; `losses` are
 * those of its buckets. Needs the mutex.
 */
void session_warn(const struct session *session, const struct bucket_losses *losses,
                  struct session_info *info);

/* --- among those who make them ---------------------------------------------------------------- */

/* Fewer samples say nothing of shares. */
#define WARNING_HITS_MIN 100

/* In percent. */
static inline double warning_share(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* Adds one if it fits. */
__attribute__((format(printf, 2, 3))) void warning_add(struct session_info *info,
                                                       const char *format, ...);

/* Those of stacks that do not reach the root. Needs the mutex. */
void session_warn_of_stacks(const struct session *session, struct session_info *info);
