/* The file table: cost of each source file, each sample once per file. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "query/lines.h"
#include "query/ranking.h"
#include "query/rows.h"

static void files_cleanup(struct query_files **files)
{
    query_files_free(*files);
}

static uint64_t id_of_file(const void *row)
{
    return ((const struct query_file *)row)->file;
}

/* A frame without a line is not its file's either, so that a file is the sum of its lines. */
static int count_files(const struct query_walk *walk, const struct query_frames *frames,
                       struct query_row **ret_rows)
{
    _cleanup_free_ uint32_t *files = calloc(frames->count + 1ul, sizeof *files);
    if (!files)
        return -ENOMEM;
    for (uint32_t i = 0; i < frames->count; i++)
        if (query_frame_has_line(&frames->frames[i]))
            files[i] = frames->frames[i].file;
    return query_rows_count(walk, frames, files, frames->file_count, NULL, ret_rows);
}

static int finish(const struct query_walk *walk, const struct query_frames *frames,
                  const struct query_row *rows, enum query_sort sort,
                  struct query_files **ret_files)
{
    static const struct query_ranking ranking = {
        .row_bytes = sizeof(struct query_file),
        .cost_offset = offsetof(struct query_file, cost),
        .id = id_of_file,
    };
    _cleanup_(files_cleanup) struct query_files *answer = calloc(1, sizeof *answer);
    if (!answer)
        return -ENOMEM;
    answer->rows = malloc((frames->file_count + 1ul) * sizeof *answer->rows);
    if (!answer->rows)
        return -ENOMEM;
    for (uint32_t i = 1; i < frames->file_count; i++)
        if (rows[i].total.hits || rows[i].total.time_ns)
            answer->rows[answer->count++] = (struct query_file){
                .file = i,
                .cost = query_cost_make(rows[i].self, rows[i].total, walk->all, sort),
            };
    answer->total = walk->all;
    answer->unknown = query_unknown_make(
        walk, frames, query_cost_make(rows[0].self, rows[0].total, walk->all, sort));
    int error = query_rank(answer->rows, answer->count, &ranking, sort);
    if (!error)
        *ret_files = take_pointer(answer);
    return error;
}

int query_files(const struct profile_view *view, const struct query_options *options,
                struct query_files **ret_files)
{
    _cleanup_query_walk_ struct query_walk *walk = NULL;
    _cleanup_query_frames_ struct query_frames *frames = NULL;
    _cleanup_free_ struct query_row *rows = NULL;
    int error = query_walk_new(view, options, &walk);
    if (!error)
        error = query_frames_new(view, walk, options->inlines, &frames);
    if (!error)
        error = count_files(walk, frames, &rows);
    return error ? error : finish(walk, frames, rows, options->sort, ret_files);
}

void query_files_free(struct query_files *files)
{
    if (!files)
        return;
    free(files->rows);
    free(files);
}
