/* One line for a person: what failed, on what, why, and what to do about it. */
#pragma once

#include <stdarg.h>

#define EXIT_NOT_PERMITTED 77
#define EXIT_BAD_CONFIGURATION 78

/* A failure that a person will read. `error` is a negative errno. No newline in `text`. */
struct failure {
    int error;
    char text[512];
};

/*
 * Fills *failure (may be NULL) and returns `error`, so that callers can `return failure_set(...)`.
 * What there is to do about -EMFILE and -ENFILE is added to the text.
 */
int failure_set(struct failure *failure, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The exit code that goes with the failure: 1, or 77 when it was a matter of permission. */
int failure_exit_code(const struct failure *failure);
