/*
 * A small profile for tests of queries: real trie, symbols and modules made up by the test. It
 * stands in for the symbol store and the session, so that tests say exactly what is known.
 */
#pragma once

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "lprofd/query.h"

#define FIXTURE_MAX 32
#define FIXTURE_ENTRIES_MAX 64
#define PROGRAM 1
#define KERNEL 2
#define SAMPLE_NS 1000000

/* What is known of one address: frames innermost first. Places are numbered as they are made. */
struct place {
    uint32_t module;
    struct frame frames[8];
    uint32_t count;
    enum symbol_status status;
};

struct symbols {
    const struct stack_trie *trie;
    struct symbol_function functions[FIXTURE_MAX];
    uint32_t function_count;
    struct symbol_file files[FIXTURE_MAX];
    uint32_t file_count;
    struct place places[FIXTURE_MAX];
    uint32_t place_count;
    int readers; /* lock balance */
};

struct fixture {
    struct stack_trie *trie;
    struct symbols symbols;
    struct profile_thread threads[FIXTURE_MAX];
    struct bucket *buckets[FIXTURE_MAX];
    struct profile_view view;
    struct query_options options;
    const char *focus, *hide; /* what options may point to */
};

/* --- the stand-ins ---------------------------------------------------------------------------- */

void symbols_lock_shared(const struct symbols *symbols)
{
    ((struct symbols *)symbols)->readers++;
}

void symbols_unlock(const struct symbols *symbols)
{
    ((struct symbols *)symbols)->readers--;
}

struct frame_span symbols_frames(const struct symbols *symbols, uint32_t location)
{
    assert_int_equal(symbols->readers, 1);
    struct raw_frame raw = stack_trie_location(symbols->trie, location);
    const struct place *place = &symbols->places[raw.vaddr];
    return (struct frame_span){place->frames, place->count, place->status};
}

struct symbol_function symbols_function(const struct symbols *symbols, uint32_t id)
{
    assert_int_equal(symbols->readers, 1);
    return symbols->functions[id];
}

struct symbol_file symbols_file(const struct symbols *symbols, uint32_t id)
{
    assert_int_equal(symbols->readers, 1);
    return symbols->files[id];
}

uint32_t symbols_function_count(const struct symbols *symbols)
{
    return symbols->function_count;
}

uint32_t symbols_file_count(const struct symbols *symbols)
{
    return symbols->file_count;
}

const struct module *profile_view_module(const struct profile_view *view, uint32_t id)
{
    static const struct module modules[] = {
        [0] = {.kind = MODULE_NONE},
        [PROGRAM] = {.id = PROGRAM, .kind = MODULE_FILE, .path = (char *)"/bin/program"},
        [KERNEL] = {.id = KERNEL, .kind = MODULE_KERNEL, .path = (char *)"[kernel]"},
    };
    assert_true(id < view->module_count);
    return &modules[id];
}

/* --- making a profile --------------------------------------------------------------------------
 */

static inline struct fixture *fixture_new(void)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    struct stack_locations *locations = NULL;
    assert_int_equal(stack_locations_new(&locations), 0);
    assert_int_equal(stack_trie_new(locations, &fixture->trie), 0);
    stack_locations_unref(locations);
    struct symbols *symbols = &fixture->symbols;
    symbols->trie = fixture->trie;
    symbols->functions[0].name = "[unknown]";
    symbols->files[0] = (struct symbol_file){.path = "", .directory = ""};
    symbols->function_count = symbols->file_count = 1;
    fixture->view = (struct profile_view){
        .trie = fixture->trie,
        .symbols = symbols,
        .module_count = 3,
        .buckets = (const struct bucket *const *)fixture->buckets,
        .threads = fixture->threads,
        .period_ns = SAMPLE_NS,
    };
    return fixture;
}

static inline void fixture_free(struct fixture *fixture)
{
    assert_int_equal(fixture->symbols.readers, 0);
    for (size_t i = 0; i < fixture->view.bucket_count; i++)
        free(fixture->buckets[i]);
    stack_trie_unref(fixture->trie);
    free(fixture);
}

static inline int fixture_setup(void **state)
{
    *state = fixture_new();
    return 0;
}

static inline int fixture_teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

#define query_test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static inline uint32_t make_file(struct fixture *fixture, const char *path)
{
    fixture->symbols.files[fixture->symbols.file_count] =
        (struct symbol_file){.path = path, .directory = "", .module = PROGRAM};
    return fixture->symbols.file_count++;
}

static inline uint32_t make_function(struct fixture *fixture, const char *name, uint32_t file,
                                     uint32_t line)
{
    fixture->symbols.functions[fixture->symbols.function_count] =
        (struct symbol_function){.name = name, .module = PROGRAM, .file = file, .line = line};
    return fixture->symbols.function_count++;
}

/* An address with one frame. */
static inline uint32_t make_place(struct fixture *fixture, uint32_t function, uint32_t file,
                                  uint32_t line)
{
    fixture->symbols.places[fixture->symbols.place_count] = (struct place){
        .module = PROGRAM,
        .frames = {{.function = function, .file = file, .line = line}},
        .count = 1,
        .status = SYMBOL_LINE,
    };
    return fixture->symbols.place_count++;
}

/* Makes the frames of `place` the callers of what is inlined here: the new frame is innermost. */
static inline void inline_at(struct fixture *fixture, uint32_t place, uint32_t function,
                             uint32_t file, uint32_t line)
{
    struct place *at = &fixture->symbols.places[place];
    memmove(at->frames + 1, at->frames, at->count++ * sizeof at->frames[0]);
    at->frames[0] = (struct frame){.function = function, .file = file, .line = line};
}

static inline uint32_t make_status(struct fixture *fixture, enum symbol_status status,
                                   uint32_t function)
{
    uint32_t place = make_place(fixture, function, 0, 0);
    fixture->symbols.places[place].status = status;
    fixture->symbols.places[place].count = status != SYMBOL_PENDING;
    return place;
}

static inline uint32_t make_kernel(struct fixture *fixture, uint32_t function)
{
    uint32_t place = make_status(fixture, SYMBOL_NO_DEBUG_INFO, function);
    fixture->symbols.places[place].module = KERNEL;
    return place;
}

/* A thread whose CPU time the kernel does not tell: its samples keep their weight. */
static inline uint32_t make_thread(struct fixture *fixture, pid_t tid)
{
    fixture->threads[fixture->view.thread_count].tid = tid;
    return (uint32_t)fixture->view.thread_count++;
}

static inline void make_bucket(struct fixture *fixture, uint64_t start_ns, uint64_t end_ns)
{
    struct bucket *bucket =
        calloc(1, sizeof *bucket + FIXTURE_ENTRIES_MAX * sizeof bucket->entries[0]);
    assert_non_null(bucket);
    bucket->start_ns = start_ns;
    bucket->end_ns = end_ns;
    fixture->buckets[fixture->view.bucket_count++] = bucket;
    fixture->view.duration_ns = end_ns;
}

/* Counts `hits` samples of 1 ms in the newest bucket, with the stack of `count` places, root first.
 */
static inline uint32_t add_stack(struct fixture *fixture, uint32_t thread, uint32_t hits,
                                 size_t count, const uint32_t *places)
{
    struct raw_frame frames[FIXTURE_MAX];
    for (size_t i = 0; i < count; i++) {
        uint32_t place = places[count - 1 - i];
        frames[i] =
            (struct raw_frame){.module = fixture->symbols.places[place].module, .vaddr = place};
    }
    uint32_t node;
    assert_int_equal(stack_trie_add(fixture->trie, frames, count, &node), 0);
    if (fixture->view.thread_count == 0)
        make_thread(fixture, 1);
    if (fixture->view.bucket_count == 0)
        make_bucket(fixture, 0, 100000000);

    struct bucket *bucket = fixture->buckets[fixture->view.bucket_count - 1];
    uint64_t weight_ns = (uint64_t)hits * SAMPLE_NS;
    assert_true(bucket->count < FIXTURE_ENTRIES_MAX);
    bucket->entries[bucket->count++] =
        (struct bucket_entry){.node = node, .thread = thread, .hits = hits, .weight_ns = weight_ns};
    fixture->threads[thread].hits += hits;
    fixture->threads[thread].sampled_ns += weight_ns;
    fixture->view.hits += hits;
    fixture->view.sampled_ns += weight_ns;
    fixture->view.node_count = stack_trie_node_count(fixture->trie);
    return node;
}

#define add_samples(fixture, thread, hits, ...)                                                    \
    add_stack(fixture, thread, hits, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t),         \
              (uint32_t[]){__VA_ARGS__})

static inline void set_focus(struct fixture *fixture, const char *focus)
{
    fixture->focus = focus;
    fixture->options.focus = &fixture->focus;
    fixture->options.focus_count = focus != NULL;
}

static inline void set_hide(struct fixture *fixture, const char *hide)
{
    fixture->hide = hide;
    fixture->options.hide = &fixture->hide;
    fixture->options.hide_count = hide != NULL;
}

/* --- reading answers ----------------------------------------------------------------------------
 */

static inline void lines_cleanup(struct query_lines **lines)
{
    query_lines_free(*lines);
}

static inline void functions_cleanup(struct query_functions **functions)
{
    query_functions_free(*functions);
}

static inline void files_cleanup(struct query_files **files)
{
    query_files_free(*files);
}

#define _cleanup_lines_ _cleanup_(lines_cleanup)
#define _cleanup_functions_ _cleanup_(functions_cleanup)
#define _cleanup_files_ _cleanup_(files_cleanup)

static inline struct query_lines *get_lines(struct fixture *fixture)
{
    struct query_lines *lines = NULL;
    assert_int_equal(query_lines(&fixture->view, &fixture->options, &lines), 0);
    return lines;
}

static inline struct query_functions *get_functions(struct fixture *fixture)
{
    struct query_functions *functions = NULL;
    assert_int_equal(query_functions(&fixture->view, &fixture->options, &functions), 0);
    return functions;
}

/* The row of a line; all zero when there is none. */
static inline struct query_line line_row(const struct query_lines *lines, uint32_t file,
                                         uint32_t line)
{
    for (size_t i = 0; i < lines->count; i++)
        if (lines->rows[i].file == file && lines->rows[i].line == line)
            return lines->rows[i];
    return (struct query_line){0};
}

static inline struct query_cost function_cost(const struct query_functions *functions,
                                              uint32_t function)
{
    for (size_t i = 0; i < functions->count; i++)
        if (functions->rows[i].function == function)
            return functions->rows[i].cost;
    return (struct query_cost){0};
}

#define assert_hits(cost, self, total)                                                             \
    do {                                                                                           \
        struct query_cost cost_ = (cost);                                                          \
        assert_int_equal(cost_.self_hits, self);                                                   \
        assert_int_equal(cost_.total_hits, total);                                                 \
    } while (0)

#define assert_near(value, expected, tolerance)                                                    \
    assert_true(fabs((double)(value) - (double)(expected)) <= (tolerance))
