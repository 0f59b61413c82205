/* Arbitrary source files, as they are and decoded: every line is there, and can be printed. */
#include "fuzz.h"

#include "http/utf8.h"
#include "query/source_text.h"

static bool moves_cursor(const struct text *text)
{
    for (size_t i = 0; i < text->length; i++)
        if ((unsigned char)text->bytes[i] < ' ' && text->bytes[i] != '\t')
            return true;
    return false;
}

static void check_lines(const char *bytes, size_t length)
{
    struct source_text source;
    fuzz_check(source_text_init(&source, bytes, length) == 0);
    size_t ends = 0;
    for (size_t i = 0; i < length; i++)
        ends += bytes[i] == '\n';
    fuzz_check(source.line_count == ends || source.line_count == ends + 1);
    for (uint32_t line = 0; line <= source.line_count + 1; line++) {
        struct text text = {0};
        bool there = source_text_add_line(&source, line, &text);
        fuzz_check(there == (line >= 1 && line <= source.line_count));
        fuzz_check(!moves_cursor(&text));
        text_free(&text);
    }
    source_text_clear(&source);
}

/* Three bytes stand for one at most. */
static void check_decoded(const char *bytes, size_t length)
{
    struct text text = {0};
    utf8_add_source(&text, bytes, length);
    const char *decoded = text.bytes ? text.bytes : "";
    fuzz_check(text.length <= 3 * length && utf8_valid(decoded, text.length));
    check_lines(decoded, text.length);
    text_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *exact = malloc(length + !length); /* no NUL behind it */
    fuzz_check(exact);
    memcpy(exact, bytes, length);
    check_lines(exact, length);
    check_decoded(exact, length);
    free(exact);
    return 0;
}
