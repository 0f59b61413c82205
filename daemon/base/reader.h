/*
 * Reads numbers and strings from bytes that came from outside. A read past the end yields zero
 * and marks the reader as failed; callers check once, after a group of reads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
    const unsigned char *bytes; /* borrowed */
    size_t length;
    size_t offset; /* never past length */
    bool failed;
};

static inline size_t reader_left(const struct reader *reader)
{
    return reader->length - reader->offset;
}

/* Borrows `count` bytes and steps over them; NULL when there are not that many. */
static inline const void *reader_take(struct reader *reader, size_t count)
{
    if (reader->failed || count > reader_left(reader)) {
        reader->failed = true;
        return NULL;
    }
    const void *taken = reader->bytes + reader->offset;
    reader->offset += count;
    return taken;
}

static inline uint64_t reader_u64(struct reader *reader)
{
    uint64_t value = 0;
    const void *taken = reader_take(reader, sizeof value);
    if (taken)
        memcpy(&value, taken, sizeof value);
    return value;
}

static inline uint32_t reader_u32(struct reader *reader)
{
    uint32_t value = 0;
    const void *taken = reader_take(reader, sizeof value);
    if (taken)
        memcpy(&value, taken, sizeof value);
    return value;
}

/* Borrows a string that is NUL-terminated within the bytes and steps over it; NULL when it is not.
 */
static inline const char *reader_string(struct reader *reader)
{
    size_t left = reader->failed ? 0 : reader_left(reader);
    const unsigned char *start = left ? reader->bytes + reader->offset : NULL;
    const unsigned char *end = left ? memchr(start, '\0', left) : NULL;
    if (!end) {
        reader->failed = true;
        return NULL;
    }
    reader->offset += (size_t)(end - start) + 1;
    return (const char *)start;
}
