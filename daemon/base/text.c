/* Text that grows. */
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/negative_errno.h"

void text_add(struct text *text, const char *bytes, size_t length)
{
    if (text->failed ||
        array_reserve(&text->bytes, &text->capacity, text->length + length + 1, 1)) {
        text->failed = true;
        return;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
    char *formatted = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&formatted, format, arguments);
    va_end(arguments);
    if (length < 0) {
        text->failed = true;
        return;
    }
    text_add(text, formatted, (size_t)length);
    free(formatted);
}

int text_read(struct text *text, int fd, size_t bytes_max)
{
    char piece[65536];
    for (;;) {
        ssize_t count = read(fd, piece, sizeof piece);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return negative_errno();
        if (count == 0)
            return text->failed ? -ENOMEM : 0;
        if (text->length + (size_t)count > bytes_max)
            return -EFBIG;
        text_add(text, piece, (size_t)count);
    }
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}
