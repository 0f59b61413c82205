/* Reading /proc/PID/maps (proc_pid_maps(5)). */
#pragma once

#include "lprofd/record.h"

typedef int maps_fn(void *user, const struct record_mapping *mapping);

/*
 * Calls on_mapping for every executable mapping in `text` (NUL-terminated, changed by parsing),
 * and stops at its first error, which it returns. Lines that make no sense are passed over.
 */
int maps_parse(char *text, maps_fn *on_mapping, void *user);

/* The same for a process as it is now. -ENOENT or -ESRCH when it ended. */
int maps_read(pid_t pid, maps_fn *on_mapping, void *user);

/* The same for memory that is no file's and can be read and written: heaps and stacks. */
int maps_read_anonymous(pid_t pid, maps_fn *on_mapping, void *user);
