/*
 * Packed columns: unsigned numbers as differences to the one before, zigzag coded, in LEB128
 * (DWARF 5, 7.6). Neighbours are alike, so most take a byte, which packs well again.
 */
#pragma once

#include <stdbool.h>

#include "base/reader.h"
#include "base/text.h"

enum column_id {
    COLUMN_LOCATION_MODULE,
    COLUMN_LOCATION_VADDR,
    COLUMN_LOCATION_FLAGS, /* is_return_address + 2 * enum symbol_status */
    COLUMN_LOCATION_FRAMES,
    COLUMN_FRAME_FUNCTION,
    COLUMN_FRAME_FILE,
    COLUMN_FRAME_LINE,
    COLUMN_FRAME_COLUMN,
    COLUMN_NODE_PARENT, /* without node 0, the root */
    COLUMN_NODE_LOCATION,
    COLUMN_BUCKET_START,
    COLUMN_BUCKET_END,
    COLUMN_BUCKET_ENTRIES,
    COLUMN_ENTRY_NODE,
    COLUMN_ENTRY_THREAD,
    COLUMN_ENTRY_HITS,
    COLUMN_ENTRY_WEIGHT,
    COLUMN_COUNT
};

/* "location.module", ... */
const char *column_name(enum column_id id);

struct column_writer {
    struct text bytes; /* owned */
    uint64_t count, last;
};

void column_add(struct column_writer *writer, uint64_t value);

/* Reading beyond the end, or a number of more than 64 bits, yields 0 and makes the reader failed.
 */
struct column {
    struct reader reader; /* of borrowed bytes */
    uint64_t count;       /* as the file claims */
    uint64_t last;
};

uint64_t column_next(struct column *column);
/* The same; a number that is not below `limit` is a failure too. */
uint64_t column_next_below(struct column *column, uint64_t limit);
/* Nothing failed and nothing is left. */
bool column_is_finished(const struct column *column);
