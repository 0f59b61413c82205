/* The text listing of a file: its functions line by line, as line_profiler prints them. */
#pragma once

#include "base/text.h"
#include "lprofd/query.h"

/* What the listing says besides the numbers. Everything is borrowed. */
struct listing_options {
    const char *event; /* as in struct session_info */
    uint32_t frequency_hz;
    bool self;          /* show self cost instead of total */
    const char *source; /* the file's bytes, in any encoding; NULL when they cannot be read */
    size_t source_bytes;
    const char *missing; /* why `source` is NULL, in a few words */
    bool stale;          /* `source` is newer than the program, or not what it was built from */
};

/*
 * Appends the listing of the file with this symbols_file() id: one block per function with cost,
 * hottest first, from its declaration to its end as indentation shows it. Times are in
 * microseconds. Without source only lines with cost are there. options->sort is not used. Valid
 * UTF-8. 0, -ENOMEM, -ENOENT when there is no such file, -EINVAL as queries. O(nodes + source).
 */
int listing_write(const struct profile_view *view, const struct query_options *options,
                  uint32_t file, const struct listing_options *listing, struct text *to);
