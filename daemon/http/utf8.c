/* UTF-8 out of arbitrary bytes. */
#include "http/utf8.h"

#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

/* What stands for what is no character. */
#define REPLACEMENT 0xfffd
/* As much of a text tells whether it is in UTF-16. */
#define GUESS_BYTES 4096

/* Unicode 15, table 3-7: what the second byte of a sequence may be, by its first byte. */
struct sequence {
    unsigned char first_low, first_high, second_low, second_high;
    unsigned char length;
};

static const struct sequence sequences[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static const struct sequence *find_sequence(unsigned char first)
{
    for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++)
        if (first >= sequences[i].first_low && first <= sequences[i].first_high)
            return &sequences[i];
    return NULL;
}

/* The length of the character at `bytes`; when ill-formed, of the part to replace. */
static size_t measure(const unsigned char *bytes, size_t left, bool *ret_valid)
{
    *ret_valid = false;
    if (bytes[0] < 0x80) {
        *ret_valid = bytes[0] != '\0';
        return 1;
    }
    const struct sequence *sequence = find_sequence(bytes[0]);
    if (!sequence || left < 2 || bytes[1] < sequence->second_low ||
        bytes[1] > sequence->second_high)
        return 1;
    for (size_t i = 2; i < sequence->length; i++)
        if (i >= left || (bytes[i] & 0xc0) != 0x80)
            return i;
    *ret_valid = true;
    return sequence->length;
}

/* How many of the bytes are well-formed. */
static size_t valid_prefix(const unsigned char *bytes, size_t length)
{
    size_t offset = 0;
    while (offset < length) {
        bool valid;
        size_t step = measure(bytes + offset, length - offset, &valid);
        if (!valid)
            break;
        offset += step;
    }
    return offset;
}

bool utf8_valid(const char *bytes, size_t length)
{
    return valid_prefix((const unsigned char *)bytes, length) == length;
}

static void add_character(struct text *text, uint32_t character)
{
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    char bytes[sizeof leads];
    size_t more = character < 0x80 ? 0 : character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    for (size_t i = more; i > 0; i--, character >>= 6)
        bytes[i] = (char)(0x80 | (character & 0x3f));
    bytes[0] = (char)(leads[more] | character);
    text_add(text, bytes, more + 1);
}

/* What Latin-1 has beyond ASCII is U+00A0 to U+00FF; the rest are control characters. */
static void add_latin1(struct text *text, unsigned char byte)
{
    add_character(text, byte < 0xa0 ? REPLACEMENT : byte);
}

/* Encodings of more than one byte a unit, by the byte order mark that begins a text in them. */
struct encoding {
    const char *mark;
    size_t mark_bytes, unit_bytes;
    bool is_big_endian;
};

/* In this order: that of UTF-32 begins as that of UTF-16. */
static const struct encoding marked[] = {
    {"\xff\xfe\0\0", 4, 4, false},
    {"\0\0\xfe\xff", 4, 4, true},
    {"\xff\xfe", 2, 2, false},
    {"\xfe\xff", 2, 2, true},
};

/* UTF-16 without one; by where the NULs of ASCII in it are. */
static const struct encoding unmarked[] = {{"", 0, 2, true}, {"", 0, 2, false}};

/* Most of a source is ASCII, so that most of its start has NUL as every second byte, but no other.
 */
static const struct encoding *guess_encoding(const char *bytes, size_t length)
{
    size_t nuls[2] = {0}, looked = length < GUESS_BYTES ? length : GUESS_BYTES;
    for (size_t i = 0; i < looked; i++)
        nuls[i % 2] += !bytes[i];
    for (size_t i = 0; i < 2; i++)
        if (nuls[i] > looked / 4 && !nuls[1 - i])
            return &unmarked[i];
    return NULL;
}

static const struct encoding *find_encoding(const char *bytes, size_t length)
{
    for (size_t i = 0; i < array_length(marked); i++)
        if (length >= marked[i].mark_bytes &&
            memcmp(bytes, marked[i].mark, marked[i].mark_bytes) == 0)
            return &marked[i];
    return guess_encoding(bytes, length);
}

static uint32_t read_unit(const struct encoding *encoding, const unsigned char *bytes)
{
    uint32_t unit = 0;
    size_t last = encoding->unit_bytes - 1;
    for (size_t i = 0; i <= last; i++)
        unit = unit << 8 | bytes[encoding->is_big_endian ? i : last - i];
    return unit;
}

/* The character at `bytes`, of which `left` are there; what is none is replaced. */
static size_t read_character(const struct encoding *encoding, const unsigned char *bytes,
                             size_t left, uint32_t *ret_character)
{
    size_t step = encoding->unit_bytes;
    *ret_character = REPLACEMENT;
    if (left < step)
        return left;
    uint32_t unit = read_unit(encoding, bytes);
    if (unit && unit <= 0x10ffff && (unit < 0xd800 || unit > 0xdfff))
        *ret_character = unit;
    if (step != 2 || unit < 0xd800 || unit > 0xdbff || left < 2 * step)
        return step;
    uint32_t low = read_unit(encoding, bytes + step);
    if (low < 0xdc00 || low > 0xdfff)
        return step;
    *ret_character = 0x10000 + ((unit & 0x3ff) << 10 | (low & 0x3ff));
    return 2 * step;
}

static void add_decoded(struct text *text, const struct encoding *encoding, const char *bytes,
                        size_t length)
{
    const unsigned char *cursor = (const unsigned char *)bytes;
    for (size_t at = encoding->mark_bytes; at < length;) {
        uint32_t character;
        at += read_character(encoding, cursor + at, length - at, &character);
        add_character(text, character);
    }
}

void utf8_add_source(struct text *text, const char *bytes, size_t length)
{
    const struct encoding *encoding = find_encoding(bytes, length);
    if (encoding) {
        add_decoded(text, encoding, bytes, length);
        return;
    }
    const unsigned char *cursor = (const unsigned char *)bytes;
    while (length) {
        size_t good = valid_prefix(cursor, length);
        text_add(text, (const char *)cursor, good);
        cursor += good;
        length -= good;
        if (!length)
            break;
        add_latin1(text, *cursor++);
        length--;
    }
}

void utf8_add(struct text *text, const char *bytes, size_t length)
{
    const unsigned char *cursor = (const unsigned char *)bytes;
    while (length) {
        size_t good = valid_prefix(cursor, length);
        text_add(text, (const char *)cursor, good);
        cursor += good;
        length -= good;
        if (!length)
            break;
        bool valid;
        size_t bad = measure(cursor, length, &valid);
        text_add_string(text, "\xef\xbf\xbd");
        cursor += bad;
        length -= bad;
    }
}
