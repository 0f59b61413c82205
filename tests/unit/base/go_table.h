/*
 * Writes small tables of Go functions, in each format, by the description in Go's own sources
 * (src/runtime/symtab.go, src/cmd/link/internal/ld/pcln.go).
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/go_pclntab.h"

#define GO_TEXT UINT64_C(0x401000)
#define GO_TABLE_BYTES 2048
/* Two functions: main.outer, into which main.inner is inlined at 0x10 ... 0x1f, and runtime.goexit.
 */
#define GO_OUTER GO_TEXT
#define GO_INLINED (GO_TEXT + 0x10)
#define GO_CALL_LINE 11
#define GO_INNER_LINE 32
#define GO_OUTER_FRAME 24
#define GO_GOEXIT (GO_TEXT + 0x40)
#define GO_END (GO_TEXT + 0x50)
#define GO_TREE 0x500 /* address, or offset */

struct go_bytes {
    unsigned char bytes[GO_TABLE_BYTES];
    size_t length;
};

static inline void go_put(struct go_bytes *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to->bytes[to->length++] = (unsigned char)(value >> (8 * i));
}

static inline size_t go_put_text(struct go_bytes *to, const char *text)
{
    size_t at = to->length;
    memcpy(to->bytes + at, text, strlen(text) + 1);
    to->length += strlen(text) + 1;
    return at;
}

static inline void go_set(struct go_bytes *to, size_t at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to->bytes[at + i] = (unsigned char)(value >> (8 * i));
}

/* Pairs of a change and of a length, zigzag and plain, of one byte each; ended by a change of 0. */
static inline size_t go_put_values(struct go_bytes *to, size_t count, ...)
{
    size_t at = to->length;
    va_list pairs;
    va_start(pairs, count);
    for (size_t i = 0; i < count; i++) {
        int change = va_arg(pairs, int);
        go_put(to, (uint64_t)(change < 0 ? -2 * change - 1 : 2 * change), 1);
        go_put(to, (uint64_t)va_arg(pairs, int), 1);
    }
    va_end(pairs);
    go_put(to, 0, 1);
    return at;
}

/* Where parts are, from the start of the table. */
struct go_parts {
    size_t outer, inner, goexit, names; /* names */
    size_t units, files, values;
    size_t stack, numbers, lines, inlined, no_stack, one_line;
};

/* What a function is made of, beside its address. */
struct go_record {
    size_t name, stack, numbers, lines, inlined;
    unsigned line, flags;
    uint64_t tree; /* 0: none */
};

static inline void go_put_record(struct go_bytes *to, enum go_version version, uint64_t start,
                                 const struct go_parts *parts, const struct go_record *record)
{
    size_t base = version == GO_1_2 ? 0 : parts->values;
    unsigned word = version >= GO_1_18 ? 4 : 8;
    go_put(to, version >= GO_1_18 ? start - GO_TEXT : start, word);
    go_put(to, record->name - (version == GO_1_2 ? 0 : parts->names), 4);
    go_put(to, 0, 8); /* arguments, deferred calls */
    go_put(to, record->stack - base, 4);
    go_put(to, record->numbers - base, 4);
    go_put(to, record->lines - base, 4);
    go_put(to, 3, 4);
    if (version >= GO_1_16)
        go_put(to, 0, 4);
    if (version >= GO_1_20)
        go_put(to, record->line, 4);
    go_put(to, 0, 1);
    go_put(to, record->flags, 1);
    go_put(to, 0, 1);
    go_put(to, 4, 1);
    for (unsigned i = 0; i < 3; i++)
        go_put(to, i == 2 && record->inlined ? record->inlined - base : 0, 4);
    while (version < GO_1_18 && to->length % 8)
        go_put(to, 0, 1);
    uint64_t none = version >= GO_1_18 ? UINT32_MAX : 0;
    for (unsigned i = 0; i < 4; i++)
        go_put(to, i == 3 && record->tree ? record->tree : none, word);
}

static inline void go_put_strings_and_values(struct go_bytes *to, struct go_parts *parts)
{
    parts->names = to->length;
    go_put(to, 0, 1);
    parts->outer = go_put_text(to, "main.outer");
    parts->inner = go_put_text(to, "main.inner");
    parts->goexit = go_put_text(to, "runtime.goexit");
    parts->files = to->length;
    size_t outer = go_put_text(to, "/src/outer.go"), inner = go_put_text(to, "/src/inner.go");
    while (to->length % 4)
        go_put(to, 0, 1);
    parts->units = to->length;
    go_put(to, outer - parts->files, 4);
    go_put(to, inner - parts->files, 4);
    parts->values = to->length;
    go_put(to, 0, 1); /* offset 0 means none */
    /* All values start at -1. */
    parts->stack = go_put_values(to, 3, 1, 4, GO_OUTER_FRAME, 0x3b, -GO_OUTER_FRAME, 1);
    parts->numbers = go_put_values(to, 3, 1, 0x10, 1, 0x10, -1, 0x20);
    parts->lines = go_put_values(to, 4, 11, 8, 1, 8, GO_INNER_LINE - GO_CALL_LINE, 0x10, -20, 0x20);
    parts->inlined = go_put_values(to, 3, 0, 0x10, 1, 0x10, -1, 0x20);
    parts->no_stack = go_put_values(to, 1, 1, 0x10);
    parts->one_line = go_put_values(to, 1, 51, 0x10);
}

static inline void go_put_functions(struct go_bytes *to, enum go_version version,
                                    const struct go_parts *parts, unsigned outer_flags)
{
    const struct go_record outer = {.name = parts->outer,
                                    .stack = parts->stack,
                                    .numbers = parts->numbers,
                                    .lines = parts->lines,
                                    .inlined = parts->inlined,
                                    .line = 9,
                                    .flags = outer_flags,
                                    .tree = GO_TREE};
    const struct go_record goexit = {.name = parts->goexit,
                                     .stack = parts->no_stack,
                                     .numbers = parts->no_stack,
                                     .lines = parts->one_line,
                                     .line = 49,
                                     .flags = GO_FUNCTION_TOP};
    unsigned word = version >= GO_1_18 ? 4 : 8;
    uint64_t from = version >= GO_1_18 ? GO_TEXT : 0;
    size_t start = to->length, base = version == GO_1_2 ? 0 : start;
    go_put(to, GO_OUTER - from, word);
    go_put(to, 0, word);
    go_put(to, GO_GOEXIT - from, word);
    go_put(to, 0, word);
    go_put(to, GO_END - from, word);
    size_t files_at = to->length;
    if (version == GO_1_2)
        go_put(to, 0, 4);
    while (to->length % 8)
        go_put(to, 0, 1);
    go_set(to, start + word, to->length - base, word);
    go_put_record(to, version, GO_OUTER, parts, &outer);
    while (to->length % 8)
        go_put(to, 0, 1);
    go_set(to, start + 3 * word, to->length - base, word);
    go_put_record(to, version, GO_GOEXIT, parts, &goexit);
    if (version == GO_1_2)
        go_set(to, files_at, parts->units, 4);
}

/* GO_1_2 has its functions right behind the header, and offsets that count from the start. */
static inline void go_put_old(struct go_bytes *to)
{
    struct go_bytes strings = {.length = 512};
    struct go_parts parts;
    go_put_strings_and_values(&strings, &parts);
    go_set(&strings, parts.units, parts.files, 4);
    go_set(&strings, parts.units + 4, parts.files + sizeof "/src/outer.go", 4);
    go_put_functions(to, GO_1_2, &parts, 0);
    memcpy(to->bytes + 512, strings.bytes + 512, strings.length - 512);
    to->length = strings.length;
}

/* `outer_flags` are main.outer's. */
static inline void go_build_flagged(struct go_bytes *to, enum go_version version,
                                    unsigned outer_flags)
{
    static const uint32_t magics[] = {0xfffffffb, 0xfffffffa, 0xfffffff0, 0xfffffff1};
    struct go_parts parts;
    memset(to, 0, sizeof *to);
    go_put(to, magics[version], 4);
    go_put(to, 0, 2);
    go_put(to, 1, 1);
    go_put(to, 8, 1);
    go_put(to, 2, 8); /* functions */
    if (version == GO_1_2) {
        go_put_old(to);
        return;
    }
    go_put(to, 2, 8); /* files */
    if (version >= GO_1_18)
        go_put(to, GO_TEXT, 8);
    size_t offsets = to->length;
    to->length += 5 * 8;
    go_put_strings_and_values(to, &parts);
    while (to->length % 8)
        go_put(to, 0, 1);
    const size_t places[] = {parts.names, parts.units, parts.files, parts.values, to->length};
    for (size_t i = 0; i < 5; i++)
        go_set(to, offsets + 8 * i, places[i], 8);
    go_put_functions(to, version, &parts, outer_flags);
}

static inline void go_build(struct go_bytes *to, enum go_version version)
{
    go_build_flagged(to, version, 0);
}

/* The tree's only entry: main.inner, called at line 11 of main.outer, 8 bytes into it. */
static inline void go_build_entry(struct go_bytes *to, enum go_version version, uint32_t name)
{
    memset(to, 0, sizeof *to);
    if (version >= GO_1_20) {
        go_put(to, 0, 4);
        go_put(to, name, 4);
        go_put(to, 8, 4);
        go_put(to, 30, 4);
        return;
    }
    go_put(to, 0xffff, 4); /* no parent */
    go_put(to, 0, 8);
    go_put(to, name, 4);
    go_put(to, 8, 4);
}
