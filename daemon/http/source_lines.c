/* Lines of a source, as its compiler counts them. */
#include "http/source_lines.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Of "a.f90" too: what follows an 'f' is a year. */
static bool is_fortran(const char *ending)
{
    return strcasecmp(ending, "for") == 0 || ((*ending == 'f' || *ending == 'F') &&
                                              ending[1 + strspn(ending + 1, "0123456789")] == 0);
}

static bool only_feeds_end_lines(const char *path)
{
    const char *dot = strrchr(path, '.');
    if (!dot)
        return false;
    return !strcmp(dot, ".rs") || !strcmp(dot, ".go") || !strcmp(dot, ".s") || is_fortran(dot + 1);
}

void source_end_lines(char *bytes, size_t length, const char *path)
{
    if (only_feeds_end_lines(path))
        return;
    char *end = bytes + length;
    for (char *at = bytes; (at = memchr(at, '\r', (size_t)(end - at))); at++)
        if (at + 1 == end || at[1] != '\n')
            *at = '\n';
}
