/* UTF-8 out of arbitrary bytes. */
#include "http/utf8.h"

#include <string.h>

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

/* What Latin-1 has beyond ASCII is U+00A0 to U+00FF; the rest are control characters. */
static void add_latin1(struct text *text, unsigned char byte)
{
    const char character[] = {(char)(0xc0 | byte >> 6), (char)(0x80 | (byte & 0x3f))};
    if (byte < 0xa0)
        text_add_string(text, "\xef\xbf\xbd");
    else
        text_add(text, character, sizeof character);
}

void utf8_add_source(struct text *text, const char *bytes, size_t length)
{
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
