/* Takes names apart that V8 gives to compiled functions (its source: src/logging/log.cc). */
#include "symbol/jit_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* A position has at most this many digits. */
#define DIGITS_MAX 9

void jit_name_free(struct jit_name *name)
{
    free(name->function);
    free(name->path);
    *name = (struct jit_name){0};
}

/* Behind the kind of code and the mark of its compiler; NULL for kinds that are no functions. */
static const char *skip_kind(const char *name)
{
    static const char *const kinds[] = {"JS:", "LazyCompile:", "Function:", "Script:", "Eval:"};
    for (size_t i = 0; i < array_length(kinds); i++) {
        size_t length = strlen(kinds[i]);
        if (strncmp(name, kinds[i], length) == 0) {
            name += length;
            return name + (*name && strchr("*~^+", *name));
        }
    }
    return NULL;
}

/* Takes ":123" off the end of text[0..*length). False when there is none. */
static bool take_number(const char *text, size_t *length, uint32_t *ret_number)
{
    size_t at = *length;
    uint32_t value = 0, unit = 1;
    while (at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9' && *length - at < DIGITS_MAX) {
        value += unit * (uint32_t)(text[--at] - '0');
        unit *= 10;
    }
    if (at == *length || at == 0 || text[at - 1] != ':')
        return false;
    *length = at - 1;
    *ret_number = value;
    return true;
}

/* Where the space before the script's name is; a path may have more of them, as a name may. */
static const char *find_path(const char *text, size_t length)
{
    static const char *const beginnings[] = {" /", " file://", " node:", " http://", " https://"};
    const char *best = NULL;
    for (size_t i = 0; i < array_length(beginnings); i++) {
        const char *found = memmem(text, length, beginnings[i], strlen(beginnings[i]));
        if (found && (!best || found < best))
            best = found;
    }
    return best ? best : memrchr(text, ' ', length);
}

static int hex_digit(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = digit ? strchr(digits, digit) : NULL;
    return found ? (int)(found - digits) % 16 : -1;
}

/* Modules are named by URL (RFC 8089): "file:///tmp/a%20b.mjs" is /tmp/a b.mjs. In place. */
static void decode_url(char *path)
{
    static const char scheme[] = "file://";
    size_t skip = sizeof scheme - 1;
    if (strncmp(path, scheme, skip) != 0 || path[skip] != '/')
        return;
    char *to = path;
    for (const char *from = path + skip; *from; from++) {
        int high = *from == '%' ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;
        bool coded = low >= 0 && (high || low);
        unsigned char byte = (unsigned char)(coded ? high * 16 + low : *from);
        memcpy(to++, &byte, 1);
        from += coded ? 2 : 0;
    }
    *to = '\0';
}

int jit_name_parse(const char *name, struct jit_name *ret_name)
{
    const char *text = skip_kind(name);
    uint32_t last, line = 0, column = 0;
    if (!text)
        return -ENOENT;
    size_t length = strlen(text);
    if (!take_number(text, &length, &last))
        return -ENOENT;
    if (take_number(text, &length, &line))
        column = last;
    else
        line = last;
    const char *space = find_path(text, length);
    size_t function = space ? (size_t)(space - text) : 0;
    if (!space || function + 1 >= length || line == 0)
        return -ENOENT;
    struct jit_name parsed = {
        .function = function ? strndup(text, function) : strdup("(anonymous)"),
        .path = strndup(space + 1, length - function - 1),
        .line = line,
        .column = column,
    };
    if (!parsed.function || !parsed.path) {
        jit_name_free(&parsed);
        return -ENOMEM;
    }
    decode_url(parsed.path);
    *ret_name = parsed;
    return 0;
}
