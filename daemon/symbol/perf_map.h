/* Names of code that a run-time compiler made: the map that it writes to /tmp/perf-PID.map. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "lprofd/privilege.h"
#include "symbol/range_map.h"

/*
 * The file grows while the target runs (Linux, tools/perf/Documentation/jit-interface.txt): lines
 * of "HEXSTART HEXSIZE NAME". Memory that is used again is listed again, so the last line counts.
 */
struct perf_map {
    struct range_map map; /* to offsets in text */
    char *text;           /* owned; NULL or ended by a NUL */
    size_t length, capacity;
    size_t parsed;        /* bytes of text that are whole lines and became ranges */
    struct range *ranges; /* owned */
    size_t range_count, range_capacity;
    dev_t device; /* of the file that text is from */
    ino_t inode;
    struct timespec written; /* when it was written last, as far as it was read */
    uint64_t files;          /* how many there were: one that did not only grow is another */
};

/*
 * Reads what is new in the target's map, as the target's user, inside its root. A file that is not
 * the target's own is not believed. *ret_changed tells whether names may differ from before. A file
 * that went away leaves what was known. 0 or -ENOMEM.
 */
int perf_map_refresh(struct perf_map *map, const struct target *target, bool *ret_changed);

/* The name of the code at a run-time address, or NULL. Borrowed until the next refresh. */
const char *perf_map_find(const struct perf_map *map, uint64_t ip);

/* It has more than is read of it. */
bool perf_map_is_full(const struct perf_map *map);

size_t perf_map_bytes(const struct perf_map *map);
void perf_map_free(struct perf_map *map);
