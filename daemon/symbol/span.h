/* Bytes that belong to somebody else: a section, or a part of one. */
#pragma once

#include "base/reader.h"

struct span {
    const unsigned char *bytes; /* NULL when there is no such section */
    size_t length;
};

/* A reader that starts at `offset`; it has failed already when that is beyond the end. */
static inline struct reader span_reader(struct span span, uint64_t offset)
{
    bool beyond = offset > span.length;
    return (struct reader){.bytes = span.bytes,
                           .length = span.length,
                           .offset = beyond ? span.length : offset,
                           .failed = beyond};
}
