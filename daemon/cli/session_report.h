/* The text report of a session in this process: what `lprofd --no-http` prints at the end. */
#pragma once

#include <stdio.h>

#include "lprofd/session.h"

/*
 * Session, hottest lines, what has no line and why, functions where that is most of it, warnings.
 * 0 or -ENOMEM.
 */
int session_report_print(struct session *session, FILE *out);
