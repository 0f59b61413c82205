/* Which modules, files and functions of two sessions are the same. */
#include "query/diff_match.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"

/* Files are found again by at most that many last parts of their paths. */
#define TAIL_PARTS_MAX 8

/* --- names ------------------------------------------------------------------------------------ */

/* "/usr/lib/libfoo.so.1.2" is "libfoo.so". */
static char *module_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash && slash[1] ? slash + 1 : path;
    const char *version = strstr(name, ".so.");
    return strndup(name, version ? (size_t)(version - name) + 3 : strlen(name));
}

static char *build_text(const struct module *module)
{
    char text[2 * BUILD_ID_MAX + 1] = "";
    for (size_t i = 0; i < module->build_id_bytes && i < BUILD_ID_MAX; i++)
        snprintf(text + 2 * i, 3, "%02x", module->build_id[i]);
    return strdup(text);
}

static int add_module(struct diff_module *to, const struct module *module)
{
    if (!module || !module->path)
        return 0;
    to->path = module->path;
    to->kind = module->kind;
    to->name = module_name(module->path);
    if (module->build_id_bytes)
        to->build = build_text(module);
    return to->name && (to->build || !module->build_id_bytes) ? 0 : -ENOMEM;
}

static int names_init(struct diff_names *names, const struct profile_view *view)
{
    symbols_lock_shared(view->symbols);
    names->file_count = symbols_file_count(view->symbols);
    names->function_count = symbols_function_count(view->symbols);
    names->files = calloc(names->file_count + 1ul, sizeof *names->files);
    names->functions = calloc(names->function_count + 1ul, sizeof *names->functions);
    for (uint32_t i = 0; names->files && i < names->file_count; i++)
        names->files[i] = symbols_file(view->symbols, i);
    for (uint32_t i = 0; names->functions && i < names->function_count; i++)
        names->functions[i] = symbols_function(view->symbols, i);
    symbols_unlock(view->symbols);

    names->modules = calloc(view->module_count + 1ul, sizeof *names->modules);
    if (!names->files || !names->functions || !names->modules)
        return -ENOMEM;
    names->module_count = view->module_count;
    int error = 0;
    for (uint32_t i = 0; i < names->module_count && !error; i++)
        error = add_module(&names->modules[i], profile_view_module(view, i));
    return error;
}

static void names_clear(struct diff_names *names)
{
    for (uint32_t i = 0; i < names->module_count; i++) {
        free(names->modules[i].build);
        free(names->modules[i].name);
    }
    free(names->modules);
    free(names->files);
    free(names->functions);
}

/* --- pairs ------------------------------------------------------------------------------------ */

/* What is paired: ids below `counts` on both sides. */
struct task {
    const struct diff_match *match;
    uint32_t **pairs;
    uint32_t counts[DIFF_SIDES];
};

/* The key of an item in one step of the task; it is zero before. */
typedef void key_fn(const struct task *task, int side, uint32_t id, int step,
                    struct diff_key *ret_key);

/* Nothing is paired but the unknown ids 0; in one session everything is. */
static int pairs_init(const struct task *task)
{
    for (int side = 0; side < DIFF_SIDES; side++) {
        uint32_t count = task->counts[side], other = task->counts[!side];
        uint32_t *pairs = task->pairs[side] = malloc((count + 1ul) * sizeof *pairs);
        if (!pairs)
            return -ENOMEM;
        for (uint32_t i = 0; i < count; i++)
            pairs[i] = i < other && (i == 0 || task->match->same_session) ? i : DIFF_UNPAIRED;
    }
    return 0;
}

static int pair_step(const struct task *task, key_fn *make, int step, bool unique)
{
    _cleanup_free_ struct diff_key *a = calloc(task->counts[DIFF_A] + 1ul, sizeof *a);
    _cleanup_free_ struct diff_key *b = calloc(task->counts[DIFF_B] + 1ul, sizeof *b);
    struct diff_key *const keys[DIFF_SIDES] = {a, b};
    if (!a || !b)
        return -ENOMEM;
    for (int side = 0; side < DIFF_SIDES; side++)
        for (uint32_t i = 1; i < task->counts[side]; i++)
            if (task->pairs[side][i] == DIFF_UNPAIRED)
                make(task, side, i, step, &keys[side][i]);
    return diff_pair((struct diff_list){a, task->pairs[DIFF_A], task->counts[DIFF_A]},
                     (struct diff_list){b, task->pairs[DIFF_B], task->counts[DIFF_B]}, unique);
}

/* A number that two ids have in common exactly when they are paired. */
static uint32_t class_of(uint32_t *const pairs[DIFF_SIDES], uint32_t b_count, int side, uint32_t id)
{
    if (side == DIFF_B)
        return id;
    return pairs[DIFF_A][id] == DIFF_UNPAIRED ? b_count + id : pairs[DIFF_A][id];
}

static uint32_t module_class(const struct diff_match *match, int side, uint32_t id)
{
    /* A module that is newer than the view stays unknown. */
    if (id >= match->names[side].module_count)
        id = 0;
    return class_of(match->modules, match->names[DIFF_B].module_count, side, id);
}

/* --- modules ---------------------------------------------------------------------------------- */

enum { MODULES_BY_BUILD, MODULES_BY_PATH, MODULES_BY_NAME, MODULE_STEPS };

static void module_key(const struct task *task, int side, uint32_t id, int step,
                       struct diff_key *ret_key)
{
    const struct diff_module *module = &task->match->names[side].modules[id];
    const char *const texts[MODULE_STEPS] = {
        [MODULES_BY_BUILD] = module->build,
        [MODULES_BY_PATH] = module->path,
        [MODULES_BY_NAME] = module->name,
    };
    *ret_key = (struct diff_key){.text = texts[step], .numbers = {module->kind}, .order = id};
}

static int pair_modules(struct diff_match *match)
{
    struct task task = {
        match,
        match->modules,
        {match->names[DIFF_A].module_count, match->names[DIFF_B].module_count},
    };
    int error = pairs_init(&task);
    for (int step = 0; step < MODULE_STEPS && !error; step++)
        error = pair_step(&task, module_key, step, false);
    return error;
}

bool diff_match_same_build(const struct diff_match *match, uint32_t a, uint32_t b)
{
    if (match->same_session)
        return a == b;
    if (a >= match->names[DIFF_A].module_count || b >= match->names[DIFF_B].module_count)
        return false;
    const char *left = match->names[DIFF_A].modules[a].build;
    const char *right = match->names[DIFF_B].modules[b].build;
    return left && right && strcmp(left, right) == 0;
}

/* --- files ------------------------------------------------------------------------------------ */

#define FILES_BY_PATH 0 /* step n is by the last TAIL_PARTS_MAX + 1 - n parts of the path */

/* The last `parts` parts of the path; NULL when it has no more than that. */
static const char *path_tail(const char *path, int parts)
{
    const char *cursor = path + strlen(path);
    while (cursor > path)
        if (*--cursor == '/' && --parts == 0)
            return cursor + 1;
    return NULL;
}

static void file_key(const struct task *task, int side, uint32_t id, int step,
                     struct diff_key *ret_key)
{
    const struct symbol_file *file = &task->match->names[side].files[id];
    *ret_key = (struct diff_key){.text = file->path, .order = id};
    if (step == FILES_BY_PATH) {
        /* A relative path means something in its directory only. */
        if (file->path[0] != '/')
            ret_key->numbers[0] = (uint32_t)hash_bytes(file->directory, strlen(file->directory));
        return;
    }
    const char *tail = path_tail(file->path, TAIL_PARTS_MAX + 1 - step);
    /* Of a relative path, the whole is a tail of one that was absolute. */
    if (!tail && file->path[0] != '/' && step == TAIL_PARTS_MAX)
        tail = file->path;
    ret_key->text = tail && *tail ? tail : NULL;
    ret_key->numbers[0] = module_class(task->match, side, file->module);
}

static int pair_files(struct diff_match *match)
{
    struct task task = {
        match,
        match->files,
        {match->names[DIFF_A].file_count, match->names[DIFF_B].file_count},
    };
    int error = pairs_init(&task);
    for (int step = 0; step <= TAIL_PARTS_MAX && !error; step++)
        error = pair_step(&task, file_key, step, step != FILES_BY_PATH);
    return error;
}

/* --- functions -------------------------------------------------------------------------------- */

enum { FUNCTIONS_BY_FILE, FUNCTIONS_BY_NAME, FUNCTION_STEPS };

/* "[libfoo.so+0x1230]" says where, and that is elsewhere in another build. */
static bool is_place(const char *name)
{
    return name[0] == '[' && strstr(name, "+0x");
}

static void function_key(const struct task *task, int side, uint32_t id, int step,
                         struct diff_key *ret_key)
{
    const struct diff_match *match = task->match;
    const struct symbol_function *function = &match->names[side].functions[id];
    if (is_place(function->name)) {
        uint32_t module = function->module, count = match->names[side].module_count;
        uint32_t other = module < count ? match->modules[side][module] : DIFF_UNPAIRED;
        bool same = side == DIFF_A ? diff_match_same_build(match, module, other)
                                   : diff_match_same_build(match, other, module);
        if (!same)
            return;
    }
    *ret_key = (struct diff_key){
        .text = function->name,
        .numbers = {module_class(match, side, function->module), 0},
        .order = function->line,
    };
    if (step == FUNCTIONS_BY_FILE)
        ret_key->numbers[1] =
            class_of(match->files, match->names[DIFF_B].file_count, side, function->file);
}

static int pair_functions(struct diff_match *match)
{
    struct task task = {
        match,
        match->functions,
        {match->names[DIFF_A].function_count, match->names[DIFF_B].function_count},
    };
    int error = pairs_init(&task);
    for (int step = 0; step < FUNCTION_STEPS && !error; step++)
        error = pair_step(&task, function_key, step, step != FUNCTIONS_BY_FILE);
    return error;
}

int diff_match_init(struct diff_match *match, const struct profile_view *const views[DIFF_SIDES])
{
    *match = (struct diff_match){
        .same_session = views[DIFF_A]->symbols == views[DIFF_B]->symbols,
    };
    int error = names_init(&match->names[DIFF_A], views[DIFF_A]);
    if (!error)
        error = names_init(&match->names[DIFF_B], views[DIFF_B]);
    if (!error)
        error = pair_modules(match);
    if (!error)
        error = pair_files(match);
    return error ? error : pair_functions(match);
}

void diff_match_clear(struct diff_match *match)
{
    for (int side = 0; side < DIFF_SIDES; side++) {
        names_clear(&match->names[side]);
        free(match->modules[side]);
        free(match->files[side]);
        free(match->functions[side]);
    }
}
