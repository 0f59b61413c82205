/* The text report of a comparison, for people. */
#include "cli/report_diff.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/report_text.h"

/* The columns of numbers take this much, the gap behind them included. */
#define NUMBERS_WIDTH 40
#define NAME_WIDTH_MIN 16
/* Where nothing is shortened, a longer name sticks out instead of pushing all others apart. */
#define PADDING_MAX 72

static void print_side(FILE *file, const struct report_style *style, char name,
                       const struct report_diff_side *side)
{
    _cleanup_text_ struct text line = {0};
    _cleanup_text_ struct text command = {0};
    text_printf(&line, "%c  ", name);
    if (side->file)
        report_text_clean(&line, side->file);
    else
        text_printf(&line, "session %u", side->session);
    text_printf(&line, ", %.1f to %.1f s: %llu samples, ",
                (double)side->from_ns / (double)NS_PER_SECOND,
                (double)side->to_ns / (double)NS_PER_SECOND, (unsigned long long)side->samples);
    report_text_time(&line, side->time_ns);
    text_add_string(&line, "  ");
    report_text_clean(&command, side->command);
    size_t have = report_width(line.bytes ? line.bytes : "");
    size_t room = (size_t)style->columns > have ? (size_t)style->columns - have : 0;
    report_text_keep_start(&line, command.bytes ? command.bytes : "",
                           style->columns > 0 ? room : SIZE_MAX);
    report_put(file, style, NULL, &line);
}

/* "file.c:97", and what is different on a's side. */
static void add_place(struct text *to, const struct report_diff_row *row)
{
    uint32_t line = row->b_line ? row->b_line : row->a_line;
    if (*row->path)
        report_text_place(to, row->path, line);
    else
        report_text_clean(to, row->module);
}

static void add_remark(struct text *to, const struct report_diff_row *row, bool functions)
{
    if (row->only)
        text_printf(to, " (only %c)", row->only);
    else if (!functions && row->a_line && row->b_line && row->a_line != row->b_line)
        text_printf(to, " (%s%u)", row->is_guess ? "~" : "was ", row->a_line);
    else if (!functions && row->is_guess)
        text_add_string(to, " (~)");
}

/* Where the names' two columns begin and end. */
struct layout {
    size_t first, second; /* widths; SIZE_MAX: nothing is shortened */
};

/* The first column as it is printed in at most `width` columns. */
static void add_first(struct text *to, const struct report_diff_row *row, bool functions,
                      size_t width)
{
    _cleanup_text_ struct text name = {0};
    _cleanup_text_ struct text remark = {0};
    if (functions)
        report_text_clean(&name, *row->function ? row->function : "[unknown]");
    else
        add_place(&name, row);
    add_remark(&remark, row, functions);
    const char *bytes = name.bytes ? name.bytes : "", *tail = remark.bytes ? remark.bytes : "";
    size_t left = report_width(tail) < width ? width - report_width(tail) : 0;
    if (functions)
        report_text_keep_start(to, bytes, left);
    else
        report_text_keep_end(to, bytes, left);
    text_add_string(to, tail);
}

static struct layout lay_out(const struct report_style *style, const struct report_diff *diff)
{
    size_t widest = report_width(diff->functions ? "function" : "line");
    for (size_t i = 0; i < diff->count; i++) {
        _cleanup_text_ struct text name = {0};
        add_first(&name, &diff->rows[i], diff->functions, SIZE_MAX);
        size_t width = report_width(name.bytes ? name.bytes : "");
        widest = width > widest ? width : widest;
    }
    if (style->columns <= 0)
        return (struct layout){widest < PADDING_MAX ? widest : PADDING_MAX, SIZE_MAX};
    size_t room = (size_t)style->columns > NUMBERS_WIDTH + 2 ? (size_t)style->columns : 0;
    room = room ? room - NUMBERS_WIDTH - 2 : 0;
    room = room < 2 * NAME_WIDTH_MIN ? 2 * NAME_WIDTH_MIN : room;
    size_t first = widest < room * 2 / 3 ? widest : room * 2 / 3;
    return (struct layout){first, room - first};
}

static void add_second(struct text *to, const struct report_diff_row *row, bool functions,
                       size_t width)
{
    _cleanup_text_ struct text name = {0};
    if (functions)
        add_place(&name, row);
    else
        report_text_clean(&name, *row->function ? row->function : "[unknown]");
    const char *bytes = name.bytes ? name.bytes : "";
    if (functions)
        report_text_keep_end(to, bytes, width);
    else
        report_text_keep_start(to, bytes, width);
}

static void print_row(FILE *file, const struct report_style *style, const struct report_diff *diff,
                      const struct report_diff_row *row, struct layout layout)
{
    _cleanup_text_ struct text line = {0};
    _cleanup_text_ struct text first = {0};
    text_printf(&line, "%6.2f %%  %6.2f %%  %+7.2f  %6.2f %c  ", row->a_percent, row->b_percent,
                row->delta, (row->high - row->low) / 2, row->significant ? '*' : ' ');
    add_first(&first, row, diff->functions, style->columns > 0 ? layout.first : SIZE_MAX);
    const char *bytes = first.bytes ? first.bytes : "";
    size_t width = report_width(bytes);
    text_add_string(&line, bytes);
    report_text_pad(&line, width < layout.first ? layout.first - width + 2 : 2);
    add_second(&line, row, diff->functions, layout.second);
    report_put(file, style, row->significant ? REPORT_BOLD : REPORT_DIM, &line);
}

static void print_notes(FILE *file, const struct report_style *style,
                        const struct report_diff *diff)
{
    const char *what = diff->functions ? "functions" : "lines";
    _cleanup_text_ struct text note = {0};
    bool guessed = false;
    for (size_t i = 0; i < diff->count; i++)
        guessed |= diff->rows[i].is_guess;
    if (diff->all > diff->count)
        fprintf(file, "%*s… and %zu more\n", NUMBERS_WIDTH, "", diff->all - diff->count);
    fputc('\n', file);
    text_printf(&note, "* %zu of %zu %s changed by more than chance (5 %% false discoveries).",
                diff->significant, diff->all, what);
    report_put(file, style, NULL, &note);
    if (diff->by_total)
        fputs("  Shares are of the time with callees.\n", file);
    if (!diff->functions)
        fprintf(file, "  No line is known of %.2f %% of the time in a and %.2f %% in b.\n",
                diff->sides[0].unknown_percent, diff->sides[1].unknown_percent);
    if (guessed)
        fputs("~ The source of that time is not known: found again by its place in the function.\n",
              file);
}

void report_diff(FILE *file, const struct report_style *style, const struct report_diff *diff)
{
    print_side(file, style, 'a', &diff->sides[0]);
    print_side(file, style, 'b', &diff->sides[1]);
    if (!diff->count) {
        fputs("\nNeither has samples to compare.\n", file);
        return;
    }
    struct layout layout = lay_out(style, diff);
    _cleanup_text_ struct text header = {0};
    const char *first = diff->functions ? "function" : "line";
    text_printf(&header, "\n%8s  %8s  %*s  %6s     %s", "a", "b", 8, "Δ", " ±", first);
    report_text_pad(&header, layout.first > strlen(first) ? layout.first - strlen(first) + 2 : 2);
    text_add_string(&header, diff->functions ? "defined" : "function");
    report_put(file, style, REPORT_DIM, &header);
    for (size_t i = 0; i < diff->count; i++)
        print_row(file, style, diff, &diff->rows[i], layout);
    print_notes(file, style, diff);
}
