/* DWARF's own number formats on top of the bounds-checked reader. */
#pragma once

#include "base/reader.h"

static inline uint8_t reader_u8(struct reader *reader)
{
    const uint8_t *taken = reader_take(reader, 1);
    return taken ? *taken : 0;
}

static inline uint16_t reader_u16(struct reader *reader)
{
    uint16_t value = 0;
    const void *taken = reader_take(reader, sizeof value);
    if (taken)
        memcpy(&value, taken, sizeof value);
    return value;
}

/* A little-endian integer of 1 to 8 bytes; more, which a hostile header can ask for, fail. */
static inline uint64_t reader_uint(struct reader *reader, unsigned bytes)
{
    uint64_t value = 0;
    const uint8_t *taken = reader_take(reader, bytes <= sizeof value ? bytes : SIZE_MAX);
    for (unsigned i = 0; taken && i < bytes; i++)
        value |= (uint64_t)taken[i] << (8 * i);
    return value;
}

/* ULEB128 (DWARF 5 §7.6); bits beyond 64 are dropped. */
static inline uint64_t reader_uleb(struct reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = reader_u8(reader);
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
}

static inline int64_t reader_sleb(struct reader *reader)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = reader_u8(reader);
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (shift < 64 && (byte & 0x40))
        value |= UINT64_MAX << shift;
    return (int64_t)value;
}
