/* How wide a text report is, and its colours. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/text.h"

struct report_style {
    int columns; /* of the terminal; 0: as wide as the text is, nothing is shortened */
    bool colour;
};

/* What suits the file: its width and colour for a terminal (unless NO_COLOR is set, or TERM=dumb),
 * all of the text and none for anything else. */
struct report_style report_style_of(FILE *file);

/* SGR sequences (ECMA-48). */
#define REPORT_BOLD "\033[1m"
#define REPORT_DIM "\033[2m"
#define REPORT_YELLOW "\033[33m"

/* Prints a line; `colour` is one of those above, or NULL. */
void report_put(FILE *file, const struct report_style *style, const char *colour,
                const struct text *line);
