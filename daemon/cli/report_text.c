/* Cells of a text report: clean, measured, shortened, padded. */
#include "cli/report_text.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "query/source_text.h"

#define ELLIPSIS "…"

static bool starts_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

size_t report_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += starts_character(*text);
    return width;
}

/* The start of the character that `skip` characters come before. */
static const char *skip_characters(const char *text, size_t skip)
{
    for (; *text; text++)
        if (starts_character(*text) && skip-- == 0)
            break;
    return text;
}

void report_text_clean(struct text *to, const char *string)
{
    size_t start = to->length;
    source_text_add_clean(to, string, strlen(string));
    for (size_t i = start; i < to->length; i++)
        if (to->bytes[i] == '\t')
            to->bytes[i] = ' ';
}

void report_text_failure(const char *program, const struct failure *failure, FILE *out)
{
    _cleanup_text_ struct text line = {0};
    report_text_clean(&line, failure->text);
    fprintf(out, "%s: %s\n", program, line.bytes ? line.bytes : "out of memory");
}

void report_text_place(struct text *to, const char *path, uint32_t line)
{
    report_text_clean(to, path);
    if (line)
        text_printf(to, ":%u", line);
}

void report_text_keep_end(struct text *to, const char *text, size_t width)
{
    size_t have = report_width(text);
    if (have <= width) {
        text_add_string(to, text);
        return;
    }
    const char *kept = skip_characters(text, have - (width ? width - 1 : 0));
    const char *slash = strchr(kept, '/');
    text_add_string(to, ELLIPSIS);
    text_add_string(to, slash ? slash : kept);
}

void report_text_keep_start(struct text *to, const char *text, size_t width)
{
    if (report_width(text) <= width) {
        text_add_string(to, text);
        return;
    }
    const char *end = skip_characters(text, width ? width - 1 : 0);
    text_add(to, text, (size_t)(end - text));
    text_add_string(to, ELLIPSIS);
}

void report_text_pad(struct text *to, size_t columns)
{
    for (; columns > 0; columns--)
        text_add(to, " ", 1);
}

void report_text_time(struct text *to, uint64_t time_ns)
{
    static const struct {
        double from_ns, unit_ns;
        const char *name;
    } units[] = {
        {3600e9, 3600e9, "h"}, {100e9, 60e9, "min"}, {0.9995e9, 1e9, "s"},
        {0.9995e6, 1e6, "ms"}, {0, 1e3, "µs"},
    };
    double ns = (double)time_ns;
    size_t i = 0;
    while (ns < units[i].from_ns)
        i++;
    double value = ns / units[i].unit_ns;
    int decimals = ns == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    text_printf(to, "%.*f %s", decimals, value, units[i].name);
}
