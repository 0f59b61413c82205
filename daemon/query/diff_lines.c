/* Which lines of the files of two sessions are the same. */
#include "query/diff_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Of all texts that one comparison reads. */
#define TEXTS_MAX_BYTES ((size_t)256 << 20)

int diff_lines_init(struct diff_lines *lines, const struct diff_match *match,
                    const struct diff_sources *sources)
{
    *lines = (struct diff_lines){
        .match = match,
        .sources = sources,
        .bytes_left = TEXTS_MAX_BYTES,
        .files = calloc(match->names[DIFF_B].file_count + 1ul, sizeof *lines->files),
    };
    return lines->files ? 0 : -ENOMEM;
}

void diff_lines_clear(struct diff_lines *lines)
{
    for (uint32_t i = 0; lines->files && i < lines->match->names[DIFF_B].file_count; i++)
        diff_text_free(lines->files[i].text);
    free(lines->files);
}

static bool is_same_file(const struct diff_match *match, uint32_t a, uint32_t b)
{
    const struct symbol_file *left = &match->names[DIFF_A].files[a];
    const struct symbol_file *right = &match->names[DIFF_B].files[b];
    if (match->same_session || diff_match_same_build(match, left->module, right->module))
        return true;
    return left->has_md5 && right->has_md5 && memcmp(left->md5, right->md5, sizeof left->md5) == 0;
}

static int read_text(struct diff_lines *lines, enum diff_side side, uint32_t file,
                     struct text *ret_text)
{
    int error = lines->sources->read(lines->sources->user, side, file, ret_text);
    if (error)
        return error;
    if (ret_text->length > lines->bytes_left)
        return -E2BIG;
    lines->bytes_left -= ret_text->length;
    return 0;
}

/* DIFF_ALIGNED_NUMBER when a text is not known: it is only a beginning then. 0 or -ENOMEM. */
static int compare_texts(struct diff_lines *lines, uint32_t a, uint32_t b, struct diff_file *file)
{
    _cleanup_text_ struct text left = {0};
    _cleanup_text_ struct text right = {0};
    file->alignment = DIFF_ALIGNED_NUMBER;
    int error = lines->sources ? read_text(lines, DIFF_A, a, &left) : -ENOENT;
    if (!error)
        error = read_text(lines, DIFF_B, b, &right);
    if (!error)
        error = diff_text_new(left.bytes, left.length, right.bytes, right.length, &file->text);
    if (error)
        return error == -ENOMEM ? error : 0;
    file->alignment = file->text->is_equal ? DIFF_ALIGNED_SAME : DIFF_ALIGNED_TEXT;
    return 0;
}

int diff_lines_file(struct diff_lines *lines, uint32_t b_file, const struct diff_file **ret_file)
{
    struct diff_file *file = &lines->files[b_file];
    uint32_t a_file = lines->match->files[DIFF_B][b_file];
    int error = 0;
    if (!file->known && is_same_file(lines->match, a_file, b_file))
        file->alignment = DIFF_ALIGNED_SAME;
    else if (!file->known)
        error = compare_texts(lines, a_file, b_file, file);
    if (error)
        return error;
    file->known = true;
    *ret_file = file;
    return 0;
}

/* The line at the same distance to the function's declaration, when that is in both files. */
static bool find_by_function(const struct diff_match *match, enum diff_side side, uint32_t file,
                             uint32_t line, uint32_t function, struct diff_counterpart *counterpart)
{
    if (!function || function >= match->names[side].function_count)
        return false;
    uint32_t other = match->functions[side][function];
    if (other == DIFF_UNPAIRED)
        return false;
    const struct symbol_function *here = &match->names[side].functions[function];
    const struct symbol_function *there = &match->names[!side].functions[other];
    if (here->file != file || there->file != counterpart->file || !here->line || !there->line)
        return false;
    int64_t moved = (int64_t)line + there->line - here->line;
    if (moved < 1 || moved > UINT32_MAX)
        return false;
    counterpart->line = (uint32_t)moved;
    counterpart->alignment = DIFF_ALIGNED_FUNCTION;
    return true;
}

int diff_lines_find(struct diff_lines *lines, enum diff_side side, uint32_t file, uint32_t line,
                    uint32_t function, struct diff_counterpart *ret_counterpart)
{
    const struct diff_match *match = lines->match;
    struct diff_counterpart counterpart = {.line = line, .alignment = DIFF_ALIGNED_NONE};
    uint32_t other = file < match->names[side].file_count ? match->files[side][file] : file;
    if (other == DIFF_UNPAIRED || other >= match->names[!side].file_count) {
        counterpart.line = 0;
        *ret_counterpart = counterpart;
        return 0;
    }
    const struct diff_file *known;
    int error = diff_lines_file(lines, side == DIFF_B ? file : other, &known);
    if (error)
        return error;
    counterpart.file = other;
    counterpart.alignment = known->alignment;
    if (known->alignment == DIFF_ALIGNED_TEXT)
        counterpart.line = diff_text_line(known->text, side, line);
    else if (known->alignment == DIFF_ALIGNED_NUMBER)
        find_by_function(match, side, file, line, function, &counterpart);
    *ret_counterpart = counterpart;
    return 0;
}
