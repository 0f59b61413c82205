/* The sources' MD5 sums in the line table headers of DWARF 5, which libdw does not tell. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/md5.h"

/* By index of file in the header. All zero: not known. */
struct line_md5 {
    unsigned char (*sums)[MD5_BYTES]; /* owned */
    size_t count;
};

/*
 * Reads the header at `offset` of .debug_line (DWARF 5, section 6.2.4). Nothing is known of a
 * header that has no sums, or is of another version or broken. 0 or -ENOMEM.
 */
int line_md5_read(const unsigned char *debug_line, size_t length, uint64_t offset,
                  struct line_md5 *ret_md5);

/* The sum of the file with this index; NULL when it is not known. */
const unsigned char *line_md5_get(const struct line_md5 *md5, size_t index);

void line_md5_free(struct line_md5 *md5);
