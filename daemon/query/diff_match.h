/* Which modules, files and functions of two sessions are the same. */
#pragma once

#include "lprofd/diff.h"
#include "query/diff_pair.h"

struct diff_module {
    char *path;  /* borrowed; NULL: not known */
    char *build; /* owned; the build-id in hexadecimal; NULL: it has none */
    char *name;  /* owned; without folder and version */
    uint32_t kind;
};

/* A side's names by id, copied so that no two sessions' locks are held together. Owned arrays. */
struct diff_names {
    uint32_t module_count, file_count, function_count;
    struct diff_module *modules;
    struct symbol_file *files;
    struct symbol_function *functions;
};

/* Pairs by id on either side; DIFF_UNPAIRED: only there. The unknown ids 0 are each other's. */
struct diff_match {
    bool same_session;
    struct diff_names names[DIFF_SIDES];
    uint32_t *modules[DIFF_SIDES];   /* owned */
    uint32_t *files[DIFF_SIDES];     /* owned */
    uint32_t *functions[DIFF_SIDES]; /* owned */
};

/* 0 or -ENOMEM. O(n log n) in the names of both. */
int diff_match_init(struct diff_match *match, const struct profile_view *const views[DIFF_SIDES]);
void diff_match_clear(struct diff_match *match);

#define _cleanup_diff_match_ __attribute__((cleanup(diff_match_clear)))

/* True when both sides' modules (ids of a and b) are surely the same build. */
bool diff_match_same_build(const struct diff_match *match, uint32_t a, uint32_t b);
