/* Percent-encoding (RFC 3986). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Decodes %XX, and + as a space if `form`. 0, -EINVAL for a bad escape or a NUL, or -ENOMEM. */
int percent_decode(const char *bytes, size_t length, bool form, char **ret_text);
