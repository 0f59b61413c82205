/* Pages of stacks that are not in memory: nobody has touched them yet, or they are swapped out. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Ranges to remember at a time; what is left out is met again. */
#define ABSENT_RANGES_MAX 32

struct absent_range {
    pid_t pid;
    uint64_t start, end; /* addresses */
};

struct absent_pages {
    struct absent_range ranges[ABSENT_RANGES_MAX];
    size_t count;
};

/* Remembers that the page of `start`, and perhaps others below `end`, are not in memory. */
void absent_pages_note(struct absent_pages *pages, pid_t pid, uint64_t start, uint64_t end);

/*
 * Reads of each page that was noted, and forgets them. A page of zeros is mapped then until the
 * target writes to it, and the kernel copies what is behind it, too. Only of anonymous memory: a
 * file may be on a file system that does not answer.
 */
void absent_pages_fetch(struct absent_pages *pages);
