/* A made-up profile with some of everything, to be saved and read again. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compression.h"
#include "lprofd/stack.h"
#include "saved/saved_profile.h"

#define FIXTURE_MODULES 3
#define FIXTURE_THREADS 3
#define FIXTURE_FILES 4
#define FIXTURE_FUNCTIONS 6
#define FIXTURE_LOCATIONS 8
#define FIXTURE_NODES 20
#define FIXTURE_BUCKETS 5
#define FIXTURE_SOURCE "int main(void)\n{\n    return 0;\n}\n"

struct profile_fixture {
    struct session_info info;
    struct module modules[FIXTURE_MODULES];
    const struct module *module_list[FIXTURE_MODULES];
    struct profile_thread threads[FIXTURE_THREADS];
    struct bucket *buckets[FIXTURE_BUCKETS]; /* owned */
    struct saved_source sources[2];          /* texts owned */
    struct stack_trie *trie;                 /* owned */
    struct symbols *symbols;                 /* owned */
    struct profile_view view;
    struct saved_content content;
};

static inline void fixture_symbols(struct profile_fixture *fixture)
{
    static const char *const names[] = {
        "", "main", "work(std::vector<int>&)", "[libfoo.so+0x12]", "caf\xc3\xa9", "bad\xff name"};
    assert_int_equal(symbols_new(&fixture->symbols), 0);
    for (uint32_t i = 1; i < FIXTURE_FILES; i++) {
        char path[32];
        snprintf(path, sizeof path, i == 2 ? "part/%u.c" : "/src/%u.c", i);
        struct symbol_file file = {path, path, "/build", 1, i == 1, {1, 2, 3, (unsigned char)i}};
        assert_int_equal(symbols_restore_file(fixture->symbols, &file), 0);
    }
    for (uint32_t i = 1; i < FIXTURE_FUNCTIONS; i++) {
        struct symbol_function function = {names[i], i % FIXTURE_MODULES, i % FIXTURE_FILES, 7 * i};
        assert_int_equal(symbols_restore_function(fixture->symbols, &function), 0);
    }
}

static inline void fixture_stacks(struct profile_fixture *fixture)
{
    struct stack_locations *locations = NULL;
    assert_int_equal(stack_locations_new(&locations), 0);
    assert_int_equal(stack_trie_new(locations, &fixture->trie), 0);
    for (uint32_t i = 0; i < FIXTURE_LOCATIONS; i++) {
        struct raw_frame raw = {i % FIXTURE_MODULES, i % 2 == 1, UINT64_MAX - 1000 * i};
        struct frame frames[3];
        if (raw.module == 0)
            raw.vaddr = STACK_END_TRUNCATED;
        for (uint32_t j = 0; j < 3; j++)
            frames[j] = (struct frame){(i + j) % FIXTURE_FUNCTIONS, j % FIXTURE_FILES, i + j, j};
        assert_int_equal(stack_locations_append(locations, &raw), 0);
        assert_int_equal(symbols_restore_location(fixture->symbols, i, frames, i % 4,
                                                  i % 4 ? SYMBOL_LINE : SYMBOL_PENDING),
                         0);
    }
    for (uint32_t i = 1; i < FIXTURE_NODES; i++) {
        struct trie_node node = {i / 2, i % FIXTURE_LOCATIONS};
        assert_int_equal(stack_trie_append_node(fixture->trie, node), 0);
    }
    stack_locations_unref(locations);
}

static inline void fixture_buckets(struct profile_fixture *fixture)
{
    for (uint32_t i = 0; i < FIXTURE_BUCKETS; i++) {
        size_t count = i == 1 ? 0 : FIXTURE_NODES;
        struct bucket *bucket =
            malloc(sizeof *bucket + FIXTURE_NODES * sizeof(struct bucket_entry));
        assert_non_null(bucket);
        bucket->start_ns = i * 1000000000ull;
        bucket->end_ns = bucket->start_ns + 900000000ull;
        bucket->count = count;
        for (uint32_t j = 0; j < count; j++) {
            bucket->entries[j] =
                (struct bucket_entry){j, (i + j) % FIXTURE_THREADS, 1 + j % 3, 1003009 * (j + 1)};
            fixture->info.samples.total += bucket->entries[j].hits;
            fixture->info.sampled_ns += bucket->entries[j].weight_ns;
        }
        fixture->buckets[i] = bucket;
    }
}

static inline void fixture_rest(struct profile_fixture *fixture)
{
    static char *const paths[] = {(char *)"", (char *)"/bin/program", (char *)"[kernel]"};
    static const enum module_kind kinds[] = {MODULE_NONE, MODULE_FILE, MODULE_KERNEL};
    for (uint32_t i = 0; i < FIXTURE_MODULES; i++) {
        fixture->modules[i] =
            (struct module){.id = i, .kind = kinds[i], .path = paths[i], .fd = -1};
        fixture->module_list[i] = &fixture->modules[i];
    }
    memset(fixture->modules[1].build_id, 0xab, 20);
    fixture->modules[1].build_id_bytes = 20;
    fixture->modules[1].entry = 0x1040;
    for (int i = 0; i < FIXTURE_THREADS; i++) {
        fixture->threads[i] = (struct profile_thread){
            .pid = 10, .tid = 10 + i, .hits = 5, .sampled_ns = 5000, .accounted_ns = 5100};
        snprintf(fixture->threads[i].name, sizeof fixture->threads[i].name, "thread %d", i);
    }
    struct saved_source *text = &fixture->sources[0];
    *text = (struct saved_source){.file = 1, .stale = true, .bytes = strlen(FIXTURE_SOURCE)};
    assert_int_equal(compression_pack(FIXTURE_SOURCE, text->bytes, COMPRESSION_SMALL, &text->packed,
                                      &text->packed_bytes),
                     0);
    fixture->sources[1] = (struct saved_source){.file = 3, .error = -13};
}

static inline struct profile_fixture *fixture_new(void)
{
    struct profile_fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->info = (struct session_info){
        .pid = 10,
        .command = (char *)"program --with arguments",
        .executable = (char *)"/bin/program",
        .started_at = "2026-01-31T12:00:00Z",
        .duration_ns = FIXTURE_BUCKETS * 1000000000ull,
        .backend = "perf-cpu",
        .backend_reason = "it works",
        .event = "cpu-clock",
        .frequency_hz = 997,
        .stack_bytes = 16384,
        .follow = true,
        .threads = 2,
        .processes = 1,
        .accounted_ns = 123456789,
        .warnings = {(char *)"first", (char *)"second"},
        .warning_count = 2,
    };
    fixture_symbols(fixture);
    fixture_stacks(fixture);
    fixture_buckets(fixture);
    fixture_rest(fixture);
    fixture->view = (struct profile_view){
        .trie = fixture->trie,
        .symbols = fixture->symbols,
        .node_count = FIXTURE_NODES,
        .module_count = FIXTURE_MODULES,
        .buckets = (const struct bucket *const *)fixture->buckets,
        .bucket_count = FIXTURE_BUCKETS,
        .threads = fixture->threads,
        .thread_count = FIXTURE_THREADS,
    };
    fixture->content = (struct saved_content){
        .info = &fixture->info,
        .view = &fixture->view,
        .modules = fixture->module_list,
        .sources = fixture->sources,
        .source_count = 2,
    };
    return fixture;
}

static inline void fixture_free(struct profile_fixture *fixture)
{
    for (size_t i = 0; i < FIXTURE_BUCKETS; i++)
        free(fixture->buckets[i]);
    free(fixture->sources[0].packed);
    stack_trie_unref(fixture->trie);
    symbols_free(fixture->symbols);
    free(fixture);
}
