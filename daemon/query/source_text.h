/* The text of a source file: whatever its bytes are, every line of it can be printed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/*
 * Lines end at '\n' as compilers count them, with or without a '\r' before it. The bytes are
 * borrowed.
 */
struct source_text {
    const char *bytes;
    size_t length;
    uint32_t line_count;
    size_t *marks; /* owned; offset of every SOURCE_MARK_LINES-th line */
    size_t mark_count, mark_capacity;
};

/* Finds the lines. A byte order mark is no part of them. 0 or -ENOMEM. O(bytes). */
int source_text_init(struct source_text *text, const char *bytes, size_t length);
void source_text_clear(struct source_text *text);

#define _cleanup_source_text_ __attribute__((cleanup(source_text_clear)))

/* The bytes of the line (from 1), without its end; borrowed. False when there is no such line. */
bool source_text_line(const struct source_text *text, uint32_t line, const char **ret_bytes,
                      size_t *ret_length);

/* Appends the line (from 1), as source_text_add_clean() does. False when there is no such line. */
bool source_text_add_line(const struct source_text *text, uint32_t line, struct text *to);

/*
 * Appends bytes from outside as valid UTF-8 that moves no cursor: bytes that are not UTF-8 are
 * taken as Latin-1, and control characters other than tab become visible ones (U+2400 to U+2421,
 * U+FFFD).
 */
void source_text_add_clean(struct text *to, const char *bytes, size_t length);
