/* The focus: a frame that a stack must contain to be counted. */
#include "query/focus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct focus {
    const char *text;
    bool is_path;       /* has a ';' */
    size_t file_length; /* of the part before ":line"; 0: not a file:line */
    uint32_t line;
};

/* How much of a path the stack up to a node has matched: an offset into the text, or one of */
#define PATH_WRONG UINT32_MAX
#define PATH_DONE (UINT32_MAX - 1)

/* Reads "file:line" from the end. A number too large for a line is a name. -EINVAL for line 0. */
static int parse_line(struct focus *focus)
{
    const char *colon = strrchr(focus->text, ':');
    if (!colon || colon == focus->text || colon[1] == '\0')
        return 0;
    uint64_t line = 0;
    for (const char *digit = colon + 1; *digit; digit++) {
        if (*digit < '0' || *digit > '9' || line > UINT32_MAX / 10)
            return 0;
        line = line * 10 + (uint64_t)(*digit - '0');
    }
    if (line == 0)
        return -EINVAL;
    focus->file_length = (size_t)(colon - focus->text);
    focus->line = (uint32_t)line;
    return 0;
}

static int parse(const char *text, struct focus *ret_focus)
{
    size_t length = strlen(text);
    if (length == 0 || length >= PATH_DONE || text[0] == ';' || text[length - 1] == ';' ||
        strstr(text, ";;"))
        return -EINVAL;
    *ret_focus = (struct focus){.text = text, .is_path = strchr(text, ';') != NULL};
    return parse_line(ret_focus);
}

/* True when the path is the wanted one, or ends in it at a '/' if that is relative. */
static bool path_matches(const struct focus *focus, const char *path)
{
    size_t length = strlen(path), wanted = focus->file_length;
    if (wanted == 0 || length < wanted || memcmp(path + length - wanted, focus->text, wanted) != 0)
        return false;
    return length == wanted || (focus->text[0] != '/' && path[length - wanted - 1] == '/');
}

/* Steps one frame down: the text at the offset must be the name, and then end or go on with ';'. */
static uint32_t path_step(const struct focus *focus, uint32_t offset, const char *name)
{
    size_t length = strlen(name);
    if (strncmp(focus->text + offset, name, length) != 0)
        return PATH_WRONG;
    switch (focus->text[offset + length]) {
    case '\0':
        return PATH_DONE;
    case ';':
        return offset + (uint32_t)length + 1;
    default:
        return PATH_WRONG;
    }
}

/* The frames of one location, root-most first; only the physical one when inlines are not shown. */
static uint32_t path_step_location(const struct profile_view *view, const struct focus *focus,
                                   enum query_inlines inlines, uint32_t offset, uint32_t location)
{
    static const struct frame unknown = {0};
    struct frame_span span = symbols_frames(view->symbols, location);
    if (span.count == 0)
        span = (struct frame_span){.frames = &unknown, .count = 1};
    uint32_t last = inlines == QUERY_INLINES_CALLED ? span.count - 1 : 0;
    for (uint32_t i = span.count; i > last && offset < PATH_DONE; i--) {
        struct symbol_function function =
            symbols_function(view->symbols, span.frames[i - 1].function);
        offset = path_step(focus, offset, function.name);
    }
    return offset;
}

/* Says per node whether its root-most frames are the path. Needs the symbols' lock. */
static int mark_path(const struct profile_view *view, const struct focus *focus,
                     enum query_inlines inlines, unsigned char *nodes)
{
    _cleanup_free_ uint32_t *offsets = malloc((view->node_count + 1ul) * sizeof *offsets);
    if (!offsets)
        return -ENOMEM;
    offsets[0] = 0;
    for (uint32_t i = 1; i < view->node_count; i++) {
        struct trie_node node = stack_trie_node(view->trie, i);
        uint32_t offset = offsets[node.parent];
        if (offset < PATH_DONE)
            offset = path_step_location(view, focus, inlines, offset, node.location);
        offsets[i] = offset;
        nodes[i] = offset == PATH_DONE;
    }
    return 0;
}

/* Says per function and per file whether it is the wanted one. Needs the symbols' lock. */
static void match_names(const struct profile_view *view, const struct focus *focus,
                        unsigned char *functions, uint32_t function_count, unsigned char *files,
                        uint32_t file_count)
{
    for (uint32_t i = 0; i < function_count; i++)
        functions[i] = strcmp(symbols_function(view->symbols, i).name, focus->text) == 0;
    for (uint32_t i = 1; i < file_count; i++)
        files[i] = path_matches(focus, symbols_file(view->symbols, i).path);
}

/* Says per location whether one of its frames is the wanted one. Needs the symbols' lock. */
static int mark_locations(const struct profile_view *view, const struct focus *focus,
                          unsigned char *locations, uint32_t location_count)
{
    uint32_t function_count = symbols_function_count(view->symbols);
    uint32_t file_count = symbols_file_count(view->symbols);
    _cleanup_free_ unsigned char *functions = calloc(function_count + 1ul, 1);
    _cleanup_free_ unsigned char *files = calloc(file_count + 1ul, 1);
    if (!functions || !files)
        return -ENOMEM;
    match_names(view, focus, functions, function_count, files, file_count);

    for (uint32_t i = 0; i < location_count; i++) {
        struct frame_span span = symbols_frames(view->symbols, i);
        for (uint32_t j = 0; j < span.count; j++) {
            const struct frame *frame = &span.frames[j];
            locations[i] |= functions[frame->function];
            locations[i] |= files[frame->file] && frame->line == focus->line;
        }
    }
    return 0;
}

static int mark_locked(const struct profile_view *view, const struct focus *focus,
                       enum query_inlines inlines, unsigned char *nodes, unsigned char *locations,
                       uint32_t location_count)
{
    symbols_lock_shared(view->symbols);
    int error = mark_locations(view, focus, locations, location_count);
    if (!error && focus->is_path)
        error = mark_path(view, focus, inlines, nodes);
    symbols_unlock(view->symbols);
    return error;
}

int query_focus_mark(const struct profile_view *view, const struct query_options *options,
                     unsigned char **ret_nodes)
{
    struct focus focus;
    int error = parse(options->focus, &focus);
    if (error)
        return error;

    uint32_t location_count = stack_trie_location_count(view->trie);
    _cleanup_free_ unsigned char *nodes = calloc(view->node_count + 1ul, 1);
    _cleanup_free_ unsigned char *locations = calloc(location_count + 1ul, 1);
    if (!nodes || !locations)
        return -ENOMEM;
    error = mark_locked(view, &focus, options->inlines, nodes, locations, location_count);
    if (error)
        return error;

    for (uint32_t i = 1; i < view->node_count; i++) {
        struct trie_node node = stack_trie_node(view->trie, i);
        nodes[i] |= nodes[node.parent] | locations[node.location];
    }
    *ret_nodes = take_pointer(nodes);
    return 0;
}
