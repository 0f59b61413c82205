/* The text of /proc/PID/status and its fields (proc(5)). */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Reads all of /proc/PID/status, NUL-terminated; the caller frees it. -ESRCH when it ended. */
int status_read(pid_t pid, char **ret_text);

/* The rest of the line that begins with `name` ("Uid:"), or NULL. Borrowed, ends at a newline. */
const char *status_field(const char *text, const char *name);

/* Parses the decimal numbers of a line into at most `max`; returns how many there were. */
size_t status_numbers(const char *line, unsigned long *ret_numbers, size_t max);
