/* Functions, lines and inlined calls of a Go program that has no DWARF, by its table of functions.
 */
#pragma once

#include "symbol/store.h"

struct go_lines;

/* `fd` is borrowed. 0, -ENOMEM, or -ENOENT when there is no table that can be read. */
int go_lines_open(int fd, struct go_lines **ret_lines);
void go_lines_free(struct go_lines *lines);

/* The function at vaddr: borrowed, and as Go writes it; NULL when it is not Go's code. */
const char *go_lines_function(const struct go_lines *lines, uint64_t vaddr);

/*
 * The frames at vaddr, innermost first, at most FRAMES_PER_LOCATION_MAX. Functions and files are
 * published on the way. 0, -ENOMEM, or -ENOENT when it is not Go's code.
 */
int go_lines_resolve(const struct go_lines *lines, struct store *store, uint32_t module,
                     uint64_t vaddr, struct frame *ret_frames, size_t *ret_count);

size_t go_lines_bytes(const struct go_lines *lines);
