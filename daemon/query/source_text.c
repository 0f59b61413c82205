/* The text of a source file: whatever its bytes are, every line of it can be printed. */
#include "query/source_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define SOURCE_MARK_LINES 16

int source_text_init(struct source_text *text, const char *bytes, size_t length)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    if (length >= 3 && memcmp(bytes, byte_order_mark, 3) == 0) {
        bytes += 3;
        length -= 3;
    }
    *text = (struct source_text){.bytes = bytes, .length = length};
    for (size_t offset = 0; offset < length && text->line_count < UINT32_MAX;) {
        if (text->line_count % SOURCE_MARK_LINES == 0) {
            if (array_reserve(&text->marks, &text->mark_capacity, text->mark_count + 1,
                              sizeof *text->marks)) {
                source_text_clear(text);
                return -ENOMEM;
            }
            text->marks[text->mark_count++] = offset;
        }
        const char *end = memchr(bytes + offset, '\n', length - offset);
        offset = end ? (size_t)(end - bytes) + 1 : length;
        text->line_count++;
    }
    return 0;
}

void source_text_clear(struct source_text *text)
{
    free(text->marks);
    *text = (struct source_text){0};
}

bool source_text_line(const struct source_text *text, uint32_t line, const char **ret_bytes,
                      size_t *ret_length)
{
    if (line == 0 || line > text->line_count)
        return false;
    const char *start = text->bytes + text->marks[(line - 1) / SOURCE_MARK_LINES];
    const char *limit = text->bytes + text->length;
    for (uint32_t skip = (line - 1) % SOURCE_MARK_LINES; skip > 0; skip--)
        start = (const char *)memchr(start, '\n', (size_t)(limit - start)) + 1;
    const char *end = memchr(start, '\n', (size_t)(limit - start));
    size_t length = (size_t)((end ? end : limit) - start);
    if (end && length && start[length - 1] == '\r')
        length--;
    *ret_bytes = start;
    *ret_length = length;
    return true;
}

bool source_text_add_line(const struct source_text *text, uint32_t line, struct text *to)
{
    const char *bytes;
    size_t length;
    if (!source_text_line(text, line, &bytes, &length))
        return false;
    source_text_add_clean(to, bytes, length);
    return true;
}

/* The length of the UTF-8 sequence at the start of the bytes (RFC 3629), or 0 when it is none. */
static size_t utf8_sequence(const unsigned char *bytes, size_t length, uint32_t *ret_character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = bytes[0];
    size_t count = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (count == 0 || count > length || lead >= 0xf8)
        return 0;
    uint32_t character = count == 1 ? lead : lead & (0x7fu >> count);
    for (size_t i = 1; i < count; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (bytes[i] & 0x3f);
    }
    if (character < smallest[count] || character > 0x10ffff ||
        (character >= 0xd800 && character < 0xe000))
        return 0;
    *ret_character = character;
    return count;
}

/* What stands for a control character; any other character stands for itself. */
static uint32_t visible(uint32_t character)
{
    if (character < 0x20 && character != '\t')
        return 0x2400 + character;
    if (character == 0x7f)
        return 0x2421;
    return character >= 0x80 && character < 0xa0 ? 0xfffd : character;
}

/* For characters below U+10000, which is all that stands for others. */
static void add_character(struct text *to, uint32_t character)
{
    char bytes[3];
    if (character < 0x800) {
        bytes[0] = (char)(0xc0 | character >> 6);
        bytes[1] = (char)(0x80 | (character & 0x3f));
        text_add(to, bytes, 2);
        return;
    }
    bytes[0] = (char)(0xe0 | character >> 12);
    bytes[1] = (char)(0x80 | (character >> 6 & 0x3f));
    bytes[2] = (char)(0x80 | (character & 0x3f));
    text_add(to, bytes, 3);
}

void source_text_add_clean(struct text *to, const char *bytes, size_t length)
{
    const unsigned char *cursor = (const unsigned char *)bytes;
    size_t start = 0;
    for (size_t i = 0; i < length;) {
        uint32_t character;
        size_t count = utf8_sequence(cursor + i, length - i, &character);
        if (count && visible(character) == character) {
            i += count;
            continue;
        }
        text_add(to, bytes + start, i - start);
        add_character(to, visible(count ? character : cursor[i]));
        i += count ? count : 1;
        start = i;
    }
    text_add(to, bytes + start, length - start);
}
