/* Packed columns: differences, zigzag, LEB128. */
#include "saved/column.h"

#include "base/cleanup.h"

const char *column_name(enum column_id id)
{
    static const char *const names[COLUMN_COUNT] = {
        [COLUMN_LOCATION_MODULE] = "location.module", [COLUMN_LOCATION_VADDR] = "location.vaddr",
        [COLUMN_LOCATION_FLAGS] = "location.flags",   [COLUMN_LOCATION_FRAMES] = "location.frames",
        [COLUMN_FRAME_FUNCTION] = "frame.function",   [COLUMN_FRAME_FILE] = "frame.file",
        [COLUMN_FRAME_LINE] = "frame.line",           [COLUMN_FRAME_COLUMN] = "frame.column",
        [COLUMN_NODE_PARENT] = "node.parent",         [COLUMN_NODE_LOCATION] = "node.location",
        [COLUMN_BUCKET_START] = "bucket.start",       [COLUMN_BUCKET_END] = "bucket.end",
        [COLUMN_BUCKET_ENTRIES] = "bucket.entries",   [COLUMN_ENTRY_NODE] = "entry.node",
        [COLUMN_ENTRY_THREAD] = "entry.thread",       [COLUMN_ENTRY_HITS] = "entry.hits",
        [COLUMN_ENTRY_WEIGHT] = "entry.weight",
    };
    return names[id];
}

void column_add(struct column_writer *writer, uint64_t value)
{
    char bytes[10];
    size_t count = 0;
    uint64_t difference = value - writer->last;
    uint64_t rest = difference << 1 ^ (0 - (difference >> 63));
    do {
        bytes[count++] = (char)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
        rest >>= 7;
    } while (rest);
    text_add(&writer->bytes, bytes, count);
    writer->last = value;
    writer->count++;
}

static uint64_t read_leb128(struct reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const unsigned char *byte = reader_take(reader, 1);
        if (!byte)
            return 0;
        if (shift == 63 && *byte > 1)
            break;
        value |= (uint64_t)(*byte & 0x7f) << shift;
        if (!(*byte & 0x80))
            return value;
    }
    reader->failed = true;
    return 0;
}

uint64_t column_next(struct column *column)
{
    uint64_t rest = read_leb128(&column->reader);
    if (column->reader.failed)
        return 0;
    column->last += rest >> 1 ^ (0 - (rest & 1));
    return column->last;
}

uint64_t column_next_below(struct column *column, uint64_t limit)
{
    uint64_t value = column_next(column);
    if (value < limit)
        return value;
    column->reader.failed = true;
    return 0;
}

bool column_is_finished(const struct column *column)
{
    return !column->reader.failed && reader_left(&column->reader) == 0;
}
