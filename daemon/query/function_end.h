/* Where a function ends, by its text: debug information tells only where its code is. */
#pragma once

#include "query/source_text.h"

/*
 * For a function that is declared on line `first` and has code on line `last`: its end is the first
 * '}' from there that is indented no deeper than the declaration, before line `limit`, where other
 * code begins. False, and nothing is stored, when other text comes before that: *ret_end is a line.
 */
bool source_function_end(const struct source_text *text, uint32_t first, uint32_t last,
                         uint32_t limit, uint32_t *ret_end);
