/* Interned strings. */
#include "base/strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

struct wanted {
    const struct string_table *table;
    const char *text;
    size_t length;
};

static bool equal(const void *user, uint32_t position)
{
    const struct wanted *wanted = user;
    const char *have = wanted->table->strings[position];
    return strncmp(have, wanted->text, wanted->length) == 0 && have[wanted->length] == '\0';
}

static uint64_t rehash(const void *user, uint32_t position)
{
    const struct wanted *wanted = user;
    const char *have = wanted->table->strings[position];
    return hash_bytes(have, strlen(have));
}

static int add(struct string_table *table, const struct wanted *wanted, uint64_t hash)
{
    if (table->count >= UINT32_MAX - 1 ||
        array_reserve(&table->strings, &table->capacity, table->count + 1, sizeof(char *)))
        return -ENOMEM;
    char *copy = strndup(wanted->text, wanted->length);
    if (!copy)
        return -ENOMEM;
    table->strings[table->count] = copy;
    int error = index_add(&table->index, hash, (uint32_t)table->count, rehash, wanted);
    if (error) {
        free(copy);
        return error;
    }
    table->count++;
    table->bytes += wanted->length + 1 + sizeof(char *);
    return 0;
}

int string_table_intern(struct string_table *table, const char *text, size_t length,
                        uint32_t *ret_id)
{
    if (table->count == 0) {
        struct wanted empty = {table, "", 0};
        int error = add(table, &empty, hash_bytes("", 0));
        if (error)
            return error;
    }
    struct wanted wanted = {table, text, strnlen(text, length)};
    uint64_t hash = hash_bytes(text, wanted.length);
    uint32_t found = index_find(&table->index, hash, equal, &wanted);
    if (found == INDEX_EMPTY) {
        found = (uint32_t)table->count;
        int error = add(table, &wanted, hash);
        if (error)
            return error;
    }
    *ret_id = found;
    return 0;
}

const char *string_table_get(const struct string_table *table, uint32_t id)
{
    return id < table->count ? table->strings[id] : "";
}

void string_table_free(struct string_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->strings[i]);
    free(table->strings);
    index_clear(&table->index);
    *table = (struct string_table){0};
}
