/* Which lines of the files of two sessions are the same. */
#pragma once

#include "query/diff_match.h"
#include "query/diff_text.h"

/* How the lines of a file and its counterpart are aligned. */
struct diff_file {
    bool known; /* it was looked at */
    enum diff_alignment alignment;
    struct diff_text *text; /* owned; for DIFF_ALIGNED_TEXT */
};

struct diff_lines {
    const struct diff_match *match;
    const struct diff_sources *sources; /* may be NULL */
    size_t bytes_left;                  /* of texts that may still be read */
    struct diff_file *files;            /* owned; by b's id */
};

/* Everything is borrowed. 0 or -ENOMEM. */
int diff_lines_init(struct diff_lines *lines, const struct diff_match *match,
                    const struct diff_sources *sources);
void diff_lines_clear(struct diff_lines *lines);

#define _cleanup_diff_lines_ __attribute__((cleanup(diff_lines_clear)))

/* Where a line is on the other side. */
struct diff_counterpart {
    uint32_t file, line; /* of the other side; 0: not there */
    enum diff_alignment alignment;
};

/*
 * The counterpart of a line, by what is known of the texts and of the function (that side's id) it
 * belongs to. The first question about a file may read and compare texts. 0 or -ENOMEM.
 */
int diff_lines_find(struct diff_lines *lines, enum diff_side side, uint32_t file, uint32_t line,
                    uint32_t function, struct diff_counterpart *ret_counterpart);

/* The alignment of b's file with its counterpart, which must exist. Borrowed. 0 or -ENOMEM. */
int diff_lines_file(struct diff_lines *lines, uint32_t b_file, const struct diff_file **ret_file);
