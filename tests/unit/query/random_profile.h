/* Random profiles, and the frames of their stacks one by one: for counting them in another way. */
#pragma once

#include "fixture.h"

enum { LINES = 6, FUNCTIONS = 5, FILES = 3, PLACES = 12, STACKS = 40, THREADS = 4 };

/* Names as C++ and Rust have them, and worse; two functions share one. */
static const char *const function_names[FUNCTIONS] = {"f(int, char)", "<[u8; 4] as T>::f", "a;b\\",
                                                      "\\;", "f(int, char)"};
static const char *const file_paths[FILES] = {"/src/a.c", "/src/b.c", "/lib/a.c"};

static inline uint32_t pick(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525 + 1013904223; /* Numerical Recipes' generator */
    return (uint32_t)((uint64_t)*state * below >> 32);
}

static inline void make_random(struct fixture *f, uint32_t *random)
{
    uint32_t files[FILES], functions[FUNCTIONS], places[PLACES];
    for (uint32_t i = 0; i < FILES; i++)
        files[i] = make_file(f, file_paths[i]);
    for (uint32_t i = 0; i < FUNCTIONS; i++)
        functions[i] = make_function(f, function_names[i], 1, i + 1);
    for (uint32_t i = 0; i < PLACES; i++) {
        places[i] = pick(random, 6) ? make_place(f, functions[pick(random, FUNCTIONS)],
                                                 files[pick(random, FILES)], pick(random, LINES))
                                    : make_kernel(f, functions[pick(random, FUNCTIONS)]);
        for (uint32_t j = pick(random, 4); j < 3 && f->symbols.places[places[i]].module == PROGRAM;
             j++)
            inline_at(f, places[i], functions[pick(random, FUNCTIONS)], files[pick(random, FILES)],
                      pick(random, LINES));
    }
    for (uint32_t i = 0; i < THREADS; i++)
        make_thread(f, (pid_t)i + 1);
    for (uint32_t i = 0; i < STACKS; i++) {
        uint32_t stack[9], depth = pick(random, 10);
        for (uint32_t j = 0; j < depth; j++)
            stack[j] = places[pick(random, PLACES)];
        add_stack(f, pick(random, THREADS), 1 + pick(random, 5), depth, stack);
    }
}

/* The frames of a stack as the options show them, leaf first; returns how many. */
static inline size_t expand(const struct fixture *f, uint32_t node, struct frame *ret_frames)
{
    size_t count = 0;
    for (; node; node = stack_trie_node(f->trie, node).parent) {
        uint32_t location = stack_trie_node(f->trie, node).location;
        const struct place *place =
            &f->symbols.places[stack_trie_location(f->trie, location).vaddr];
        if (f->options.hide_kernel && place->module == KERNEL)
            continue;
        uint32_t first = f->options.inlines == QUERY_INLINES_CALLED ? place->count - 1 : 0;
        for (uint32_t i = first; i < place->count; i++)
            ret_frames[count++] = place->frames[i];
    }
    return count;
}

/* Checks `seeds` profiles, each with and without kernel frames, and inlines either way. */
static inline void for_each_profile(void (*check)(struct fixture *f), uint32_t seeds)
{
    for (uint32_t seed = 1; seed <= seeds; seed++) {
        uint32_t random = seed;
        struct fixture *f = fixture_new();
        make_random(f, &random);
        for (int options = 0; options < 4; options++) {
            f->options.hide_kernel = options & 1;
            f->options.inlines = options & 2 ? QUERY_INLINES_CALLED : QUERY_INLINES_WRITTEN;
            check(f);
        }
        fixture_free(f);
    }
}
