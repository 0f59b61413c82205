/* Interned strings: equal strings have equal ids. Id 0 is the empty string. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/index.h"

struct string_table {
    char **strings; /* owned, each a NUL-terminated copy; never moves once interned */
    size_t count, capacity;
    struct index index;
    size_t bytes; /* memory held */
};

/* Finds or adds the `length` bytes at `text` (embedded NULs end the string). 0 or -ENOMEM. */
int string_table_intern(struct string_table *table, const char *text, size_t length,
                        uint32_t *ret_id);

/* The string, borrowed until the table is freed; "" for an id that was never given out. */
const char *string_table_get(const struct string_table *table, uint32_t id);

void string_table_free(struct string_table *table);
