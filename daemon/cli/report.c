/* Text reports for people: plain rows in, aligned text out. */
#include "cli/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/report_text.h"

/* A row this hot stands out; one below the other bound stands back. */
#define HOT_PERCENT 5.0
#define COLD_PERCENT 0.5

/* The columns of numbers take this much, the gap behind them included. */
#define NUMBERS_WIDTH 38
#define NAME_WIDTH_MIN 12
/* Where nothing is shortened, a longer name sticks out instead of pushing all others apart. */
#define PADDING_MAX 72

/* The two columns of names: the first is padded to its width, the second ends the line. */
struct names {
    char **first, **second; /* owned, of `count` rows */
    size_t count;
    size_t first_width; /* as printed */
    bool first_is_place;
};

static void names_clear(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->first[i]);
        free(names->second[i]);
    }
    free(names->first);
    free(names->second);
}

#define _cleanup_names_ __attribute__((cleanup(names_clear)))

/* Takes the text as a string; "" when memory ran out. */
static char *take_string(struct text *text)
{
    if (text->failed || !text->bytes) {
        text_free(text);
        return strdup("");
    }
    return take_pointer(text->bytes);
}

static char *make_place(const struct report_row *row)
{
    struct text text = {0};
    if (row->path && *row->path)
        report_text_place(&text, row->path, row->line);
    else if (row->module)
        report_text_clean(&text, row->module);
    return take_string(&text);
}

static char *make_function(const struct report_row *row)
{
    struct text text = {0};
    report_text_clean(&text, row->function && *row->function ? row->function : "[unknown]");
    return take_string(&text);
}

static size_t widest(char *const *strings, size_t count, size_t least)
{
    for (size_t i = 0; i < count; i++) {
        size_t width = strings[i] ? report_width(strings[i]) : 0;
        least = width > least ? width : least;
    }
    return least;
}

static void shorten(char **names, size_t count, size_t width, bool are_places)
{
    for (size_t i = 0; i < count; i++) {
        struct text text = {0};
        if (!names[i])
            continue;
        if (are_places)
            report_text_keep_end(&text, names[i], width);
        else
            report_text_keep_start(&text, names[i], width);
        free(names[i]);
        names[i] = take_string(&text);
    }
}

/* Shares the room between both columns: what one does not need the other gets. */
static void fit(struct names *names, int columns, size_t title_width)
{
    size_t first = widest(names->first, names->count, title_width);
    size_t second = widest(names->second, names->count, 0);
    if (columns <= 0) {
        names->first_width = first < PADDING_MAX ? first : PADDING_MAX;
        return;
    }
    size_t room = (size_t)columns > NUMBERS_WIDTH + 2 ? (size_t)columns - NUMBERS_WIDTH - 2 : 0;
    if (room < 2 * NAME_WIDTH_MIN)
        room = 2 * NAME_WIDTH_MIN;
    if (first + second > room && first > room / 2) {
        size_t width = second < room / 2 ? room - second : room / 2;
        shorten(names->first, names->count, width, names->first_is_place);
        first = widest(names->first, names->count, title_width);
    }
    if (first + second > room)
        shorten(names->second, names->count, room - first, !names->first_is_place);
    names->first_width = first;
}

static bool names_init(struct names *names, const struct report_style *style,
                       const struct report_table *table, bool first_is_place, size_t title_width)
{
    *names = (struct names){
        .first = calloc(table->count + 1, sizeof(char *)),
        .second = calloc(table->count + 1, sizeof(char *)),
        .first_is_place = first_is_place,
    };
    if (!names->first || !names->second)
        return false;
    names->count = table->count;
    for (size_t i = 0; i < table->count; i++) {
        char *place = make_place(&table->rows[i]), *function = make_function(&table->rows[i]);
        names->first[i] = first_is_place ? place : function;
        names->second[i] = first_is_place ? function : place;
    }
    fit(names, style->columns, title_width);
    return true;
}

static void add_names(struct text *line, const char *first, const char *second, size_t width)
{
    size_t have = report_width(first);
    text_add_string(line, first);
    if (!*second)
        return;
    report_text_pad(line, have < width ? width - have + 2 : 2);
    text_add_string(line, second);
}

static void add_numbers(struct text *line, const struct report_row *row, bool by_total)
{
    double sorted = by_total ? row->total_percent : row->self_percent;
    double other = by_total ? row->self_percent : row->total_percent;
    struct text time = {0};
    report_text_time(&time, by_total ? row->total_time_ns : row->self_time_ns);
    text_printf(line, "%6.2f %% %6.2f  %6.2f %%", sorted,
                (row->percent_high - row->percent_low) / 2, other);
    report_text_pad(line, 11 - (time.bytes ? report_width(time.bytes) : 0));
    text_add(line, time.bytes ? time.bytes : "", time.length);
    text_add_string(line, "  ");
    text_free(&time);
}

static const char *row_colour(const struct report_row *row, bool by_total)
{
    double percent = by_total ? row->total_percent : row->self_percent;
    return percent >= HOT_PERCENT ? REPORT_BOLD : percent < COLD_PERCENT ? REPORT_DIM : NULL;
}

static void print_table(FILE *file, const struct report_style *style,
                        const struct report_table *table, bool first_is_place,
                        const char *first_title, const char *second_title)
{
    _cleanup_names_ struct names names;
    if (!names_init(&names, style, table, first_is_place, report_width(first_title)))
        return;

    _cleanup_text_ struct text header = {0};
    fputc('\n', file);
    text_printf(&header, "%8s      ±  %8s%11s  ", table->by_total ? "total" : "self",
                table->by_total ? "self" : "total", "time");
    add_names(&header, first_title, second_title, names.first_width);
    report_put(file, style, REPORT_DIM, &header);
    for (size_t i = 0; i < table->count; i++) {
        _cleanup_text_ struct text line = {0};
        const char *first = names.first[i], *second = names.second[i];
        add_numbers(&line, &table->rows[i], table->by_total);
        add_names(&line, first ? first : "", second ? second : "", names.first_width);
        report_put(file, style, row_colour(&table->rows[i], table->by_total), &line);
    }
    if (table->more)
        fprintf(file, "%*s… and %zu more\n", NUMBERS_WIDTH, "", table->more);
}

void report_lines(FILE *file, const struct report_style *style, const struct report_table *table)
{
    print_table(file, style, table, true, "line", "function");
}

void report_functions(FILE *file, const struct report_style *style,
                      const struct report_table *table)
{
    print_table(file, style, table, false, "function", "defined");
}

struct remedy {
    const char *status, *reason, *remedy;
};

static const struct remedy remedies[] = {
    {"pending", "not symbolised yet", "ask again in a moment"},
    {"name_only", "lines are being read", "ask again in a moment"},
    {"no_debug_info", "no debug information",
     "install the -dbg or -dbgsym package, or compile with -g (files that are not ELF have none)"},
    {"no_line", "code without a line", "compilers add such code; nothing is missing"},
    /* The session's warnings say what would help, which is not the same for each. */
    {"no_module", "not in a file", "compiled at run time, or the stack is cut or missing"},
    {"kernel", "in the kernel", "the lines that called it have it in their total"},
    {"unreadable", "the program's file cannot be read",
     "it was replaced, removed or damaged: start the program again"},
    {"damaged", "the file's debug information is damaged or too large",
     "build or install the program again, with -g1 if this machine has little memory"},
};

static const struct remedy *find_remedy(const char *status)
{
    for (size_t i = 0; i < array_length(remedies); i++)
        if (strcmp(remedies[i].status, status) == 0)
            return &remedies[i];
    return NULL;
}

static uint64_t hits_of(const struct report_unknown *unknown, const char *status)
{
    uint64_t hits = 0;
    for (size_t i = 0; i < unknown->count; i++)
        if (strcmp(unknown->reasons[i].status, status) == 0)
            hits += unknown->reasons[i].hits;
    return hits;
}

bool report_lacks_lines(const struct report_unknown *unknown)
{
    uint64_t pending = hits_of(unknown, "pending");
    return pending < unknown->self_hits && unknown->self_hits - pending > unknown->all_hits / 2;
}

bool report_lacks_callers(const struct report_unknown *unknown)
{
    return report_lacks_lines(unknown) && hits_of(unknown, "kernel") <= unknown->self_hits / 2;
}

void report_unknown(FILE *file, const struct report_style *style,
                    const struct report_unknown *unknown)
{
    if (unknown->self_hits == 0)
        return;
    _cleanup_text_ struct text header = {0};
    fputc('\n', file);
    text_printf(&header,
                "%6.2f %% of the time has no line (%llu of %llu samples)%s:", unknown->self_percent,
                (unsigned long long)unknown->self_hits, (unsigned long long)unknown->all_hits,
                unknown->functions_follow ? ", so functions are listed below" : "");
    report_put(file, style, NULL, &header);
    for (size_t i = 0; i < unknown->count; i++) {
        const struct report_reason *reason = &unknown->reasons[i];
        if (!reason->hits)
            continue;
        const struct remedy *remedy = find_remedy(reason->status);
        _cleanup_text_ struct text line = {0};
        text_printf(&line, "%8llu  ", (unsigned long long)reason->hits);
        if (remedy)
            text_printf(&line, "%s: %s", remedy->reason, remedy->remedy);
        else
            report_text_clean(&line, reason->status);
        report_put(file, style, REPORT_DIM, &line);
    }
}

/* "0.3 %"; never 0 or 100 when it is not all. */
static void add_part(struct text *to, uint64_t part, uint64_t all)
{
    double percent = all ? 100.0 * (double)part / (double)all : 0;
    if (part > 0 && percent < 0.1)
        text_add_string(to, "< 0.1 %");
    else if (part < all && percent >= 99.95)
        text_add_string(to, "> 99.9 %");
    else
        text_printf(to, "%.*f %%", part == all || part == 0 ? 0 : 1, percent);
}

static void add_quality(struct text *line, const struct report_session *session)
{
    text_printf(line, "%llu samples, %llu lost, ", (unsigned long long)session->samples,
                (unsigned long long)session->lost);
    if (session->throttled)
        text_printf(line, "%llu throttled, ", (unsigned long long)session->throttled);
    add_part(line, session->unwound_to_root, session->samples);
    text_add_string(line, " to the root, ");
    add_part(line, session->truncated_stacks, session->samples);
    text_add_string(line, " truncated");
}

/* Less than this part of the time is not worth a word. */
#define UNSAMPLED_PART 1000

static void add_times(struct text *line, const struct report_session *session)
{
    report_text_time(line, session->accounted_ns);
    text_add_string(line, " of CPU time");
    if (session->samples && session->unsampled_ns > session->accounted_ns / UNSAMPLED_PART) {
        text_add_string(line, " (");
        report_text_time(line, session->unsampled_ns);
        text_add_string(line, " of it without samples)");
    }
    text_add_string(line, " in ");
    report_text_time(line, session->duration_ns);
    text_printf(line, ", %u thread%s; ", session->threads, session->threads == 1 ? "" : "s");
    report_text_clean(line, session->event);
    text_printf(line, " at %u Hz by ", session->frequency_hz);
    report_text_clean(line, session->backend);
}

void report_session(FILE *file, const struct report_style *style,
                    const struct report_session *session)
{
    _cleanup_text_ struct text line = {0};
    char pid[24];
    snprintf(pid, sizeof pid, " (pid %d)", session->pid);
    _cleanup_text_ struct text command = {0};
    report_text_clean(&command, session->command ? session->command : "");
    size_t room = (size_t)(style->columns > 40 ? style->columns - 20 : 1000);
    report_text_keep_start(&line, command.bytes ? command.bytes : "", room);
    text_add_string(&line, pid);
    report_put(file, style, REPORT_BOLD, &line);

    _cleanup_text_ struct text times = {0}, quality = {0};
    add_times(&times, session);
    report_put(file, style, NULL, &times);
    if (session->samples)
        add_quality(&quality, session);
    else
        text_add_string(&quality, "no samples: the process used too little CPU time meanwhile");
    report_put(file, style, NULL, &quality);
}

void report_warnings(FILE *file, const struct report_style *style, const char *const *warnings,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        _cleanup_text_ struct text line = {0};
        text_add_string(&line, "warning: ");
        report_text_clean(&line, warnings[i]);
        report_put(file, style, REPORT_YELLOW, &line);
    }
}
