/* Rows that people look for by a part of a name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lprofd/query.h"

/* What is known of a name: rows share functions, and many functions a file. */
enum answer { ANSWER_NONE, ANSWER_NO, ANSWER_YES };

struct matcher {
    const struct profile_view *view;
    const char *text;
    unsigned char *functions, *files, *modules; /* owned; enum answer per id */
};

static void matcher_clear(struct matcher *matcher)
{
    free(matcher->functions);
    free(matcher->files);
    free(matcher->modules);
}

#define _cleanup_matcher_ __attribute__((cleanup(matcher_clear)))

/* Needs the symbols' lock, as all below. */
static int matcher_init(struct matcher *matcher)
{
    const struct profile_view *view = matcher->view;
    matcher->functions = calloc(symbols_function_count(view->symbols) + 1ul, 1);
    matcher->files = calloc(symbols_file_count(view->symbols) + 1ul, 1);
    matcher->modules = calloc(view->module_count + 1ul, 1);
    return matcher->functions && matcher->files && matcher->modules ? 0 : -ENOMEM;
}

static bool contains(const struct matcher *matcher, const char *name)
{
    return name && strcasestr(name, matcher->text);
}

static bool module_matches(struct matcher *matcher, uint32_t id)
{
    if (!id || id >= matcher->view->module_count)
        return false;
    if (matcher->modules[id] == ANSWER_NONE) {
        const struct module *module = profile_view_module(matcher->view, id);
        bool yes = module && contains(matcher, module->path);
        matcher->modules[id] = yes ? ANSWER_YES : ANSWER_NO;
    }
    return matcher->modules[id] == ANSWER_YES;
}

static bool file_matches(struct matcher *matcher, uint32_t id)
{
    if (matcher->files[id] == ANSWER_NONE) {
        bool yes = id && contains(matcher, symbols_file(matcher->view->symbols, id).path);
        matcher->files[id] = yes ? ANSWER_YES : ANSWER_NO;
    }
    return matcher->files[id] == ANSWER_YES;
}

static bool function_matches(struct matcher *matcher, uint32_t id)
{
    if (matcher->functions[id] == ANSWER_NONE) {
        struct symbol_function function = symbols_function(matcher->view->symbols, id);
        bool yes = contains(matcher, function.name) || module_matches(matcher, function.module);
        matcher->functions[id] = yes ? ANSWER_YES : ANSWER_NO;
    }
    return matcher->functions[id] == ANSWER_YES;
}

static void match_lines(struct matcher *matcher, struct query_lines *lines)
{
    size_t count = 0;
    for (size_t i = 0; i < lines->count; i++) {
        struct query_line row = lines->rows[i];
        if (function_matches(matcher, row.function) || file_matches(matcher, row.file))
            lines->rows[count++] = row;
    }
    lines->count = count;
}

static void match_functions(struct matcher *matcher, struct query_functions *functions)
{
    size_t count = 0;
    for (size_t i = 0; i < functions->count; i++) {
        struct query_function row = functions->rows[i];
        uint32_t file = symbols_function(matcher->view->symbols, row.function).file;
        if (function_matches(matcher, row.function) || file_matches(matcher, file))
            functions->rows[count++] = row;
    }
    functions->count = count;
}

int query_lines_match(const struct profile_view *view, const char *text, struct query_lines *lines)
{
    _cleanup_matcher_ struct matcher matcher = {.view = view, .text = text};
    symbols_lock_shared(view->symbols);
    int error = matcher_init(&matcher);
    if (!error)
        match_lines(&matcher, lines);
    symbols_unlock(view->symbols);
    return error;
}

int query_functions_match(const struct profile_view *view, const char *text,
                          struct query_functions *functions)
{
    _cleanup_matcher_ struct matcher matcher = {.view = view, .text = text};
    symbols_lock_shared(view->symbols);
    int error = matcher_init(&matcher);
    if (!error)
        match_functions(&matcher, functions);
    symbols_unlock(view->symbols);
    return error;
}
