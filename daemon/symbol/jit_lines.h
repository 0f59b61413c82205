/* The lines of a jitdump's code, and which code was where when: shared with jitdump.c only. */
#pragma once

#include "symbol/jitdump.h"

/*
 * Reads the lines of `code` from a JIT_DEBUG_INFO record's bytes after its prefix, and sets
 * code->first_line and line_count. Lines of other code are left out; *ret_problems tells what is
 * wrong with them. 0 or -ENOMEM.
 */
int jit_lines_read(struct jitdump *dump, struct jit_code *code, const unsigned char *bytes,
                   size_t length, unsigned *ret_problems);

/* Makes codes found by address again after some were added. 0 or -ENOMEM. O(n log n). */
int jit_codes_sort(struct jitdump *dump);
