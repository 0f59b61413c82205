/* Reads scopes in one scan. */
#include "symbol/scope_table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "symbol/die_scan.h"

/* No program nests deeper, and nobody can make a search climb far. */
#define LEVELS_MAX 64

/* The innermost scope ends; most are functions that enclose none. Returns the one around it. */
static uint32_t close_scope(struct scope_table *table, uint32_t open, uint64_t end)
{
    uint32_t parent = table->scopes[open].parent;
    if (table->scopes[open].is_used)
        table->scopes[open].end = end;
    else
        table->count = open; /* what it encloses would have come after it */
    return parent;
}

static int add_scope(struct scope_table *table, const struct scanned_die *die, uint32_t *open)
{
    while (*open != SCOPE_NONE && table->scopes[*open].depth >= die->enclosed)
        *open = close_scope(table, *open, die->offset);
    uint32_t level = 0;
    if (*open != SCOPE_NONE) {
        table->scopes[*open].is_used = true;
        level = table->scopes[*open].level + 1;
    }
    if (level >= LEVELS_MAX)
        return 0;
    if (table->count >= SCOPE_NONE - 1 ||
        array_reserve(&table->scopes, &table->capacity, table->count + 1, sizeof *table->scopes))
        return -ENOMEM;
    table->scopes[table->count] = (struct scope){
        .offset = die->offset,
        .parent = *open,
        .tag = die->tag,
        .depth = die->depth,
        .level = level,
    };
    *open = (uint32_t)table->count++;
    return 0;
}

int scope_table_read(const struct unit_data *unit, const struct abbreviations *abbreviations,
                     struct scope_table *ret_table)
{
    _cleanup_(scope_table_free) struct scope_table table = {0};
    struct die_scan scan;
    struct scanned_die die;
    uint32_t open = SCOPE_NONE;
    int error = 0;
    if (die_scan_start(&scan, unit, abbreviations) == 0) {
        scan.wanted = DIE_IS_SCOPE;
        while (!error && die_scan_next(&scan, &die) > 0)
            error = add_scope(&table, &die, &open);
    }
    if (error)
        return error;
    while (open != SCOPE_NONE)
        open = close_scope(&table, open, unit->header.end);
    *ret_table = table;
    table = (struct scope_table){0};
    return 0;
}

uint32_t scope_table_find(const struct scope_table *table, uint64_t offset)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->scopes[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t found = low ? (uint32_t)low - 1 : SCOPE_NONE;
    while (found != SCOPE_NONE && table->scopes[found].end <= offset)
        found = table->scopes[found].parent;
    return found;
}

size_t scope_table_bytes(const struct scope_table *table)
{
    return table->capacity * sizeof *table->scopes;
}

void scope_table_free(struct scope_table *table)
{
    free(table->scopes);
    *table = (struct scope_table){0};
}
