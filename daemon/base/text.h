/* Text that grows. An allocation that fails is remembered, so that callers check once, at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *bytes; /* owned, NUL-terminated once anything was added */
    size_t length, capacity;
    bool failed; /* an allocation failed: the content is incomplete */
};

void text_add(struct text *text, const char *bytes, size_t length);
void text_add_string(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds all that can be read from `fd`. 0, -EFBIG when the text would be longer than `bytes_max` (a
 * file grows while it is read), -ENOMEM or what read(2) says. */
int text_read(struct text *text, int fd, size_t bytes_max);

/* Frees the bytes; the text is empty and usable afterwards. */
void text_free(struct text *text);

#define _cleanup_text_ __attribute__((cleanup(text_free)))
