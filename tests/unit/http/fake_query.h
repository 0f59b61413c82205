/* What queries answer of a made-up session: numbers that follow from its time alone. */
#pragma once

#include "fake_profile.h"

/* One sample a millisecond; only lines 1 to 10 of the first file grow with time. */
static inline uint64_t fake_hits(uint32_t row, uint64_t to_ns)
{
    return row < 10 ? to_ns / NS_PER_MS / 20 : 1;
}

static inline struct query_cost fake_cost(uint64_t hits)
{
    return (struct query_cost){hits, hits, hits * NS_PER_MS, hits * NS_PER_MS, 1, 1, 0.5, 1.5};
}

static inline int fake_check(const struct query_options *options)
{
    return options->focus_count && !strcmp(options->focus[0], ";") ? -EINVAL : 0;
}

static inline uint64_t fake_until(const struct profile_view *view,
                                  const struct query_options *options)
{
    return options->to_ns && options->to_ns < view->duration_ns ? options->to_ns
                                                                : view->duration_ns;
}

int query_lines(const struct profile_view *view, const struct query_options *options,
                struct query_lines **ret_lines)
{
    if (fake_check(options))
        return -EINVAL;
    uint64_t until_ns = fake_until(view, options);
    struct query_lines *lines = calloc(1, sizeof *lines);
    lines->rows = calloc(FAKE_LINES, sizeof *lines->rows);
    lines->count = FAKE_LINES;
    for (uint32_t i = 0; i < FAKE_LINES; i++)
        lines->rows[i] = (struct query_line){.file = 1 + i / 100,
                                             .line = 1 + i % 100,
                                             .function = 1 + i % 2,
                                             .cost = fake_cost(fake_hits(i, until_ns))};
    lines->unknown.cost = fake_cost(7);
    lines->unknown.hits_by_status[SYMBOL_NO_DEBUG_INFO] = 7;
    lines->total = (struct query_total){until_ns / NS_PER_MS, until_ns};
    *ret_lines = lines;
    return 0;
}

void query_lines_free(struct query_lines *lines)
{
    if (lines)
        free(lines->rows);
    free(lines);
}

int query_functions(const struct profile_view *view, const struct query_options *options,
                    struct query_functions **ret_functions)
{
    if (fake_check(options))
        return -EINVAL;
    uint64_t until_ns = fake_until(view, options);
    struct query_functions *functions = calloc(1, sizeof *functions);
    functions->rows = calloc(2, sizeof *functions->rows);
    functions->count = 2;
    functions->rows[0] =
        (struct query_function){.function = 1, .cost = fake_cost(until_ns / NS_PER_MS - 100)};
    functions->rows[1] = (struct query_function){.function = 2, .cost = fake_cost(100)};
    functions->total = (struct query_total){until_ns / NS_PER_MS, until_ns};
    *ret_functions = functions;
    return 0;
}

/* The first thread has all of main, and the others the rest. */
int query_functions_by_thread(const struct profile_view *view, const struct query_options *options,
                              struct query_functions **ret_functions)
{
    int error = query_functions(view, options, ret_functions);
    if (!error) {
        (*ret_functions)->rows[1].thread = QUERY_OTHER_THREADS;
        (*ret_functions)->other_threads = 7;
    }
    return error;
}

int query_lines_by_thread(const struct profile_view *view, const struct query_options *options,
                          struct query_lines **ret_lines)
{
    return query_lines(view, options, ret_lines);
}

void query_functions_free(struct query_functions *functions)
{
    if (functions)
        free(functions->rows);
    free(functions);
}

int query_file_functions(const struct profile_view *view, const struct query_options *options,
                         uint32_t file, struct query_file_functions **ret_functions)
{
    (void)view;
    if (fake_check(options))
        return -EINVAL;
    struct query_file_functions *functions = calloc(1, sizeof *functions);
    functions->rows = calloc(2, sizeof *functions->rows);
    functions->count = 2;
    functions->rows[0] = (struct query_file_function){
        .function = 1, .line = file == 1, .first_line = 3, .last_line = 3, .cost = fake_cost(90)};
    functions->rows[1] = (struct query_file_function){
        .function = 2, .first_line = 7, .last_line = 9, .cost = fake_cost(10)};
    *ret_functions = functions;
    return 0;
}

void query_file_functions_free(struct query_file_functions *functions)
{
    if (functions)
        free(functions->rows);
    free(functions);
}

int query_files(const struct profile_view *view, const struct query_options *options,
                struct query_files **ret_files)
{
    if (fake_check(options))
        return -EINVAL;
    (void)view;
    struct query_files *files = calloc(1, sizeof *files);
    files->rows = calloc(FAKE_FILES, sizeof *files->rows);
    files->count = FAKE_FILES;
    for (uint32_t i = 0; i < FAKE_FILES; i++)
        files->rows[i] = (struct query_file){i + 1, fake_cost(100)};
    *ret_files = files;
    return 0;
}

void query_files_free(struct query_files *files)
{
    if (files)
        free(files->rows);
    free(files);
}

int query_flamegraph(const struct profile_view *view, const struct query_options *options,
                     const struct query_flamegraph_options *shape,
                     struct query_flamegraph **ret_graph)
{
    static const uint32_t parents[] = {0, 0, 1, 0};
    static const uint32_t functions[] = {QUERY_ROOT, 1, 2, QUERY_OTHER};
    static const uint64_t self[] = {0, 90, 9, 1};
    static const uint64_t total[] = {100, 99, 9, 1};
    (void)view;
    if (fake_check(options) || (shape->center && !strcmp(shape->center, ";")))
        return -EINVAL;
    struct query_flamegraph *graph = calloc(1, sizeof *graph);
    graph->count = 4;
    graph->total = (struct query_total){100, 100 * NS_PER_MS};
    graph->parent = calloc(4, sizeof(uint32_t));
    graph->function = calloc(4, sizeof(uint32_t));
    graph->folded = calloc(4, sizeof(uint32_t));
    graph->folded[3] = 5;
    graph->file = calloc(4, sizeof(uint32_t));
    graph->line = calloc(4, sizeof(uint32_t));
    graph->self_hits = calloc(4, sizeof(uint64_t));
    graph->total_hits = calloc(4, sizeof(uint64_t));
    graph->self_time_ns = calloc(4, sizeof(uint64_t));
    graph->total_time_ns = calloc(4, sizeof(uint64_t));
    memcpy(graph->parent, parents, sizeof parents);
    memcpy(graph->function, functions, sizeof functions);
    graph->file[1] = 1;
    graph->line[1] = 3;
    memcpy(graph->self_hits, self, sizeof self);
    memcpy(graph->total_hits, total, sizeof total);
    *ret_graph = graph;
    return 0;
}

void query_flamegraph_free(struct query_flamegraph *graph)
{
    if (!graph)
        return;
    free(graph->parent);
    free(graph->function);
    free(graph->folded);
    free(graph->file);
    free(graph->line);
    free(graph->self_hits);
    free(graph->total_hits);
    free(graph->self_time_ns);
    free(graph->total_time_ns);
    free(graph);
}

int query_timeline(const struct profile_view *view, const struct query_options *options,
                   const struct query_timeline_options *shape, struct query_timeline **ret_timeline)
{
    (void)view;
    if (fake_check(options))
        return -EINVAL;
    struct query_timeline *timeline = calloc(1, sizeof *timeline);
    timeline->step_ns = shape->step_ns;
    timeline->step_count = 3;
    timeline->series_count = 2;
    timeline->other_count = shape->series_max == 1;
    timeline->threads = calloc(2, sizeof(uint32_t));
    timeline->threads[1] = 1;
    timeline->time_ns = calloc(6, sizeof(uint64_t));
    timeline->hits = calloc(6, sizeof(uint64_t));
    for (uint64_t i = 0; i < 6; i++)
        timeline->time_ns[i] = (timeline->hits[i] = i) * 100;
    *ret_timeline = timeline;
    return 0;
}

void query_timeline_free(struct query_timeline *timeline)
{
    if (timeline) {
        free(timeline->threads);
        free(timeline->time_ns);
        free(timeline->hits);
    }
    free(timeline);
}

int query_threads(const struct profile_view *view, const struct query_options *options,
                  struct query_threads **ret_threads)
{
    (void)view;
    if (fake_check(options))
        return -EINVAL;
    struct query_threads *threads = calloc(1, sizeof *threads);
    threads->count = 2;
    threads->rows = calloc(2, sizeof *threads->rows);
    threads->rows[0] = (struct query_thread){0, fake_cost(990)};
    threads->rows[1] = (struct query_thread){1, fake_cost(10)};
    *ret_threads = threads;
    return 0;
}

void query_threads_free(struct query_threads *threads)
{
    if (threads)
        free(threads->rows);
    free(threads);
}

/* Two rows: one on both sides, one that only a has. Of file 1 with two aligned runs, if asked. */
int query_diff(const struct diff_options *options, struct diff **ret_diff)
{
    if (fake_check(&options->queries[DIFF_A]) || fake_check(&options->queries[DIFF_B]))
        return -EINVAL;
    if (options->file > FAKE_FILES)
        return -ENOENT;
    struct diff *diff = calloc(1, sizeof *diff);
    diff->count = 2;
    diff->significant_count = 1;
    diff->rows = calloc(2, sizeof *diff->rows);
    for (int side = 0; side < DIFF_SIDES; side++) {
        uint64_t until_ns = fake_until(options->views[side], &options->queries[side]);
        diff->total[side] = (struct query_total){until_ns / NS_PER_MS, until_ns};
        diff->unknown[side].cost = fake_cost(7);
        diff->unknown[side].hits_by_status[SYMBOL_NO_DEBUG_INFO] = 7;
        diff->rows[0].sides[side] = (struct diff_place){1, 3, 1, fake_cost(90)};
    }
    diff->rows[0].evidence =
        (struct diff_evidence){0.25, 0.125, 0.375, 1.25e-10, 2.5e-10, DIFF_TEST_Z, true};
    diff->rows[1] = (struct diff_row){
        .sides = {{1, 4, 2, fake_cost(3)}, {1, 0, 0, fake_cost(0)}},
        .presence = DIFF_ONLY_IN_A,
        .alignment = DIFF_ALIGNED_TEXT,
        .evidence = {-0.03, -0.05, 0.01, 1, 1, DIFF_TEST_FISHER, false},
    };
    diff->files[DIFF_A] = diff->files[DIFF_B] = options->file;
    diff->alignment = DIFF_ALIGNED_TEXT;
    diff->run_count = 2;
    diff->runs = calloc(2, sizeof *diff->runs);
    diff->runs[0] = (struct diff_run){1, 1, 3};
    diff->runs[1] = (struct diff_run){5, 4, 10};
    *ret_diff = diff;
    return 0;
}

void query_diff_free(struct diff *diff)
{
    if (!diff)
        return;
    free(diff->rows);
    free(diff->runs);
    free(diff);
}

int listing_write(const struct profile_view *view, const struct query_options *options,
                  uint32_t file, const struct listing_options *listing, struct text *to)
{
    (void)view;
    (void)listing;
    if (fake_check(options))
        return -EINVAL;
    if (!file || file > FAKE_FILES)
        return -ENOENT;
    text_add_string(to, "Line #      Hits\n");
    return 0;
}
