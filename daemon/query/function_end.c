/* Where a function ends, by its text: debug information tells only where its code is. */
#include "query/function_end.h"

/* The end is looked for that many lines past the last line with code. */
#define END_LINES_MAX 300

/* Columns before the first visible character, a tab being eight; SIZE_MAX for an empty line. */
static size_t indentation(const char *line, size_t length, char *ret_first)
{
    size_t columns = 0;
    for (size_t i = 0; i < length; i++) {
        if (line[i] != ' ' && line[i] != '\t') {
            *ret_first = line[i];
            return columns;
        }
        columns = line[i] == '\t' ? columns / 8 * 8 + 8 : columns + 1;
    }
    return SIZE_MAX;
}

bool source_function_end(const struct source_text *text, uint32_t first, uint32_t last,
                         uint32_t limit, uint32_t *ret_end)
{
    const char *line;
    size_t length;
    char visible = 0;
    if (!source_text_line(text, first, &line, &length))
        return false;
    size_t outside = indentation(line, length, &visible);
    for (uint32_t i = 0; i < END_LINES_MAX; i++) {
        uint32_t at = last + i;
        if (at < last || at >= limit || !source_text_line(text, at, &line, &length))
            return false;
        size_t depth = indentation(line, length, &visible);
        if (depth == SIZE_MAX || depth > outside || visible == '#')
            continue;
        if (visible == '}') {
            *ret_end = at;
            return true;
        }
        /* A label or the opening brace may stand as far out as the function; text may not. */
        if (visible != '{' && (length == 0 || line[length - 1] != ':') && i > 0)
            return false;
    }
    return false;
}
