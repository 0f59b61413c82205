/* The text listing of a file: its functions line by line, as line_profiler prints them. */
#include "query/listing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "query/function_end.h"
#include "query/listing_blocks.h"
#include "query/source_text.h"

/* line_profiler's columns: line, hits, time, per hit, share; the source follows. */
#define COLUMNS "%6s %9s %12s %8s %8s  "

/* Past that many lines only those with cost are printed: debug information may claim anything. */
#define LISTING_LINES_MAX 1000000

struct printer {
    const struct profile_view *view;
    const struct listing_options *listing;
    const struct listing_blocks *blocks;
    struct source_text source;
    uint32_t lines_left;
    struct text *to;
};

static void add_clean(struct text *to, const char *string)
{
    source_text_add_clean(to, string, strlen(string));
}

static void print_preamble(const struct printer *printer)
{
    const struct listing_options *listing = printer->listing;
    text_add_string(printer->to, "Timer unit: 1e-06 s\n");
    text_printf(printer->to, "Hits are samples, not executions, so Per Hit is blank. Time is %s.\n",
                listing->self ? "self: the line alone" : "total: the line and all that it calls");
    if (!listing->source) {
        text_add_string(printer->to, "The source text cannot be shown (");
        add_clean(printer->to, listing->missing ? listing->missing : "unreadable");
        text_add_string(printer->to, "): only lines with cost are listed.\n");
    } else if (listing->stale) {
        text_add_string(printer->to,
                        "The source text may not be the one that the program was built from (the "
                        "file is newer, or differs): lines may be off.\n");
    }
    if (printer->blocks->block_count == 0)
        text_add_string(printer->to, "\nNo sample has a line of this file.\n");
}

static void print_block_header(const struct printer *printer, const struct listing_block *block)
{
    struct query_count count = printer->listing->self ? block->self : block->total;
    text_printf(printer->to, "\n%s time: %.*f s (%llu samples, %u Hz, ",
                printer->listing->self ? "Self" : "Total", count.time_ns < NS_PER_SECOND ? 3 : 2,
                (double)count.time_ns / (double)NS_PER_SECOND, (unsigned long long)count.hits,
                printer->listing->frequency_hz);
    add_clean(printer->to, printer->listing->event ? printer->listing->event : "");
    text_add_string(printer->to, ")\nFile: ");

    symbols_lock_shared(printer->view->symbols);
    add_clean(printer->to,
              symbols_file(printer->view->symbols, printer->blocks->rows[0].file).path);
    text_add_string(printer->to, "\nFunction: ");
    add_clean(printer->to, symbols_function(printer->view->symbols, block->function).name);
    symbols_unlock(printer->view->symbols);
    text_printf(printer->to, " at line %u\n\n", block->first);

    char header[128];
    int length = snprintf(header, sizeof header, COLUMNS "Line Contents", "Line #", "Hits", "Time",
                          "Per Hit", "% Time");
    text_printf(printer->to, "%s\n", header);
    memset(header, '=', (size_t)length);
    text_printf(printer->to, "%s\n", header);
}

static uint64_t shown_hits(const struct printer *printer, const struct query_line *row)
{
    return printer->listing->self ? row->cost.self_hits : row->cost.total_hits;
}

/* One line; `row` is NULL when it has no cost. */
static void print_line(const struct printer *printer, const struct listing_block *block,
                       uint32_t line, const struct query_line *row)
{
    char number[16], hits[24] = "", time[24] = "", share[16] = "";
    bool self = printer->listing->self;
    uint64_t hit_count = row ? shown_hits(printer, row) : 0;
    snprintf(number, sizeof number, "%u", line);
    if (hit_count) {
        uint64_t time_ns = self ? row->cost.self_time_ns : row->cost.total_time_ns;
        struct query_count of = self ? block->self : block->total;
        double part = query_share((struct query_count){hit_count, time_ns},
                                  (struct query_total){of.hits, of.time_ns});
        snprintf(hits, sizeof hits, "%llu", (unsigned long long)hit_count);
        snprintf(time, sizeof time, "%llu", (unsigned long long)((time_ns + 500) / 1000));
        snprintf(share, sizeof share, "%.1f", part * 100);
    }
    text_printf(printer->to, COLUMNS, number, hits, time, "", share);
    source_text_add_line(&printer->source, line, printer->to);
    while (printer->to->length && printer->to->bytes[printer->to->length - 1] == ' ')
        printer->to->length--;
    text_add_string(printer->to, "\n");
}

/* The first row at or past the line. */
static size_t find_row(const struct listing_blocks *blocks, uint32_t line)
{
    size_t low = 0, high = blocks->row_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (blocks->rows[middle].line < line)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void print_block(struct printer *printer, const struct listing_block *block)
{
    const struct listing_blocks *blocks = printer->blocks;
    size_t row = find_row(blocks, block->first);
    uint32_t end = block->last;
    source_function_end(&printer->source, block->first, block->last, block->limit, &end);
    print_block_header(printer, block);
    for (uint64_t line = block->first; line <= end; line++) {
        bool in_text = line <= printer->source.line_count && printer->lines_left > 0;
        while (row < blocks->row_count && blocks->rows[row].line < line)
            row++;
        const struct query_line *at = row < blocks->row_count ? &blocks->rows[row] : NULL;
        if (in_text) {
            printer->lines_left--;
            print_line(printer, block, (uint32_t)line, at && at->line == line ? at : NULL);
            continue;
        }
        if (!at || at->line > block->last)
            break;
        line = at->line;
        if (shown_hits(printer, at))
            print_line(printer, block, at->line, at);
    }
    if (printer->listing->source && block->last > printer->source.line_count)
        text_printf(printer->to,
                    "The source text has only %u lines: it is not the one that the program was "
                    "built from.\n",
                    printer->source.line_count);
}

static bool has_file(const struct profile_view *view, uint32_t file)
{
    symbols_lock_shared(view->symbols);
    uint32_t count = symbols_file_count(view->symbols);
    symbols_unlock(view->symbols);
    return file > 0 && file < count;
}

int listing_write(const struct profile_view *view, const struct query_options *options,
                  uint32_t file, const struct listing_options *listing, struct text *to)
{
    if (!has_file(view, file))
        return -ENOENT;
    struct query_options sorted = *options;
    sorted.sort = listing->self ? QUERY_SORT_SELF : QUERY_SORT_TOTAL;
    _cleanup_listing_blocks_ struct listing_blocks blocks;
    int error = listing_blocks_init(&blocks, view, &sorted, file);
    if (error)
        return error;

    _cleanup_source_text_ struct source_text source = {0};
    if (listing->source)
        error = source_text_init(&source, listing->source, listing->source_bytes);
    if (error)
        return error;
    struct printer printer = {view, listing, &blocks, source, LISTING_LINES_MAX, to};
    print_preamble(&printer);
    for (size_t i = 0; i < blocks.block_count; i++)
        if (!listing->self || blocks.blocks[i].self.hits)
            print_block(&printer, &blocks.blocks[i]);
    return to->failed ? -ENOMEM : 0;
}
