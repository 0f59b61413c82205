/* Cells of a text report: clean, measured, shortened, padded. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/failure.h"
#include "base/text.h"

/* Columns that valid UTF-8 takes, a character each. */
size_t report_width(const char *text);

/* "file:line" of any bytes, as one clean line; without ":line" when line is 0. */
void report_text_place(struct text *to, const char *path, uint32_t line);
void report_text_clean(struct text *to, const char *string);

/* "program: why" as one clean line: the reason may quote a target, or what a server answered. */
void report_text_failure(const char *program, const struct failure *failure, FILE *out);

/* Appends the text in at most `width` columns: its end after "…" (paths), or its start before one.
 */
void report_text_keep_end(struct text *to, const char *text, size_t width);
void report_text_keep_start(struct text *to, const char *text, size_t width);

/* Appends spaces. */
void report_text_pad(struct text *to, size_t columns);

/* Appends a time in three digits and its unit: "850 µs", "1.87 s", "16.7 min". */
void report_text_time(struct text *to, uint64_t time_ns);
