/* Arbitrary source files: every line is there, and what comes out is UTF-8. */
#include "fuzz.h"

#include "query/source_text.h"

static bool moves_cursor(const struct text *text)
{
    for (size_t i = 0; i < text->length; i++)
        if ((unsigned char)text->bytes[i] < ' ' && text->bytes[i] != '\t')
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *copy = fuzz_string(bytes, length);
    char *exact = malloc(length + !length); /* no NUL behind it */
    fuzz_check(exact);
    memcpy(exact, bytes, length);

    struct source_text source;
    fuzz_check(source_text_init(&source, exact, length) == 0);
    size_t ends = 0;
    for (size_t i = 0; i < length; i++)
        ends += exact[i] == '\n';
    fuzz_check(source.line_count == ends || source.line_count == ends + 1);
    for (uint32_t line = 0; line <= source.line_count + 1; line++) {
        struct text text = {0};
        bool there = source_text_add_line(&source, line, &text);
        fuzz_check(there == (line >= 1 && line <= source.line_count));
        fuzz_check(!moves_cursor(&text));
        text_free(&text);
    }
    source_text_clear(&source);
    free(exact);
    free(copy);
    return 0;
}
