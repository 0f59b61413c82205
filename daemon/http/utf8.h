/* UTF-8 out of arbitrary bytes: names in debug information and sources promise nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* True when all bytes are well-formed UTF-8 (RFC 3629) without NUL. */
bool utf8_valid(const char *bytes, size_t length);

/*
 * Adds the bytes, each maximal ill-formed part and each NUL replaced by U+FFFD (Unicode 15, 3.9).
 * Line ends are never touched.
 */
void utf8_add(struct text *text, const char *bytes, size_t length);

/*
 * The same for the text of a source: UTF-16 and UTF-32 with a byte order mark are decoded, without
 * the mark, and UTF-16 without one if most of its start is ASCII. Elsewhere a byte that is no UTF-8
 * is taken as Latin-1, the most likely encoding of old sources. NUL and what is no character become
 * U+FFFD.
 */
void utf8_add_source(struct text *text, const char *bytes, size_t length);
