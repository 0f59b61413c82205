/* How wide a text report is, and its colours. */
#include "cli/report_style.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PLAIN "\033[0m"

struct report_style report_style_of(FILE *file)
{
    struct report_style style = {0};
    struct winsize size;
    const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    int fd = fileno(file);
    if (fd < 0 || !isatty(fd))
        return style;
    style.columns = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
    style.colour =
        !(no_colour && *no_colour) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
    return style;
}

void report_put(FILE *file, const struct report_style *style, const char *colour,
                const struct text *line)
{
    const char *bytes = line->bytes ? line->bytes : "";
    if (style->colour && colour)
        fprintf(file, "%s%s%s\n", colour, bytes, PLAIN);
    else
        fprintf(file, "%s\n", bytes);
}
