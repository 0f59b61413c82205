/* The focus: frames that a stack must, or must not, contain to be counted. */
#include "query/focus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "query/leaf_path.h"

struct focus {
    const char *text;
    bool is_path;       /* has a ';' */
    bool is_only_path;  /* began with one, which is not part of the text */
    bool is_end;        /* ended with one: the path is how a stack ends */
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

/* True for a ';' or '\\' of a name. */
static bool is_escape(const char *text)
{
    return text[0] == '\\' && (text[1] == ';' || text[1] == '\\');
}

/* False when an element is empty. That there is none after the last ';' is said. */
static bool check_elements(const char *text, bool *ret_is_end)
{
    size_t length = 0;
    for (; *text; text++) {
        if (*text == ';' && length == 0)
            return false;
        length = *text == ';' ? 0 : length + 1;
        text += is_escape(text);
    }
    *ret_is_end = length == 0;
    return true;
}

static int parse(const char *text, struct focus *ret_focus)
{
    bool is_only_path = text[0] == ';', is_end;
    text += is_only_path;
    if (text[0] == '\0' || strlen(text) >= PATH_DONE || !check_elements(text, &is_end) ||
        (is_end && is_only_path))
        return -EINVAL;
    *ret_focus = (struct focus){.text = text,
                                .is_path = is_only_path || strchr(text, ';'),
                                .is_only_path = is_only_path,
                                .is_end = is_end};
    return is_only_path || is_end ? 0 : parse_line(ret_focus);
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
    const char *text = focus->text + offset;
    for (; *name; name++, text++) {
        bool escaped = is_escape(text);
        text += escaped;
        if (*text != *name || (*text == ';' && !escaped && focus->is_only_path))
            return PATH_WRONG;
    }
    switch (*text) {
    case '\0':
        return PATH_DONE;
    case ';':
        return (uint32_t)(text - focus->text) + 1;
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

/* Marks the nodes whose root-most frames are the path. Needs the symbols' lock. */
static int mark_path(const struct profile_view *view, const struct focus *focus,
                     const struct query_options *options, unsigned char *nodes)
{
    _cleanup_free_ uint32_t *offsets = malloc((view->node_count + 1ul) * sizeof *offsets);
    if (!offsets)
        return -ENOMEM;
    offsets[0] = 0;
    for (uint32_t i = 1; i < view->node_count; i++) {
        struct trie_node node = stack_trie_node(view->trie, i);
        uint32_t offset = offsets[node.parent];
        bool hidden = options->hide_kernel && query_is_kernel(view, node.location);
        if (offset < PATH_DONE && !hidden)
            offset = path_step_location(view, focus, options->inlines, offset, node.location);
        offsets[i] = offset;
        nodes[i] |= offset == PATH_DONE;
    }
    return 0;
}

/* Per function and per file: whether it is the wanted one. */
struct matches {
    unsigned char *functions, *files; /* owned */
};

static void matches_clear(struct matches *matches)
{
    free(matches->functions);
    free(matches->files);
}

#define _cleanup_matches_ __attribute__((cleanup(matches_clear)))

/* Needs the symbols' lock. */
static int match_names(const struct profile_view *view, const struct focus *focus,
                       struct matches *matches)
{
    uint32_t function_count = symbols_function_count(view->symbols);
    uint32_t file_count = symbols_file_count(view->symbols);
    matches->functions = calloc(function_count + 1ul, 1);
    matches->files = calloc(file_count + 1ul, 1);
    if (!matches->functions || !matches->files)
        return -ENOMEM;
    for (uint32_t i = 0; i < function_count; i++)
        matches->functions[i] = strcmp(symbols_function(view->symbols, i).name, focus->text) == 0;
    for (uint32_t i = 1; i < file_count; i++)
        matches->files[i] = path_matches(focus, symbols_file(view->symbols, i).path);
    return 0;
}

static bool frame_matches(const struct matches *matches, const struct focus *focus,
                          const struct frame *frame)
{
    return matches->functions[frame->function] ||
           (matches->files[frame->file] && frame->line == focus->line);
}

/* Says per location whether one of its frames is the wanted one. Needs the symbols' lock. */
static int mark_locations(const struct profile_view *view, const struct focus *focus,
                          unsigned char *locations, uint32_t location_count)
{
    _cleanup_matches_ struct matches matches = {0};
    int error = match_names(view, focus, &matches);
    for (uint32_t i = 0; i < location_count && !error; i++) {
        struct frame_span span = symbols_frames(view->symbols, i);
        for (uint32_t j = 0; j < span.count; j++)
            locations[i] |= frame_matches(&matches, focus, &span.frames[j]);
    }
    return error;
}

static int mark_locked(const struct profile_view *view, const struct focus *focus,
                       const struct query_options *options, unsigned char *nodes,
                       unsigned char *locations, uint32_t location_count)
{
    int error = 0;
    symbols_lock_shared(view->symbols);
    if (focus->is_end)
        error = leaf_path_mark(view, options, focus->text, nodes);
    else if (!focus->is_only_path)
        error = mark_locations(view, focus, locations, location_count);
    if (!error && focus->is_path && !focus->is_end)
        error = mark_path(view, focus, options, nodes);
    symbols_unlock(view->symbols);
    return error;
}

/* Says per node whether its stack has the text. */
static int mark(const struct profile_view *view, const struct query_options *options,
                const char *text, unsigned char *nodes)
{
    struct focus focus;
    int error = parse(text, &focus);
    if (error)
        return error;
    uint32_t location_count = stack_trie_location_count(view->trie);
    _cleanup_free_ unsigned char *locations = calloc(location_count + 1ul, 1);
    if (!locations)
        return -ENOMEM;
    memset(nodes, 0, view->node_count);
    error = mark_locked(view, &focus, options, nodes, locations, location_count);
    for (uint32_t i = 1; i < view->node_count && !error && !focus.is_end; i++) {
        struct trie_node node = stack_trie_node(view->trie, i);
        nodes[i] |= nodes[node.parent] | locations[node.location];
    }
    return error;
}

int query_focus_mark(const struct profile_view *view, const struct query_options *options,
                     unsigned char **ret_nodes)
{
    _cleanup_free_ unsigned char *counted = malloc(view->node_count + 1ul);
    _cleanup_free_ unsigned char *has = malloc(view->node_count + 1ul);
    if (!counted || !has)
        return -ENOMEM;
    memset(counted, 1, view->node_count + 1ul);
    for (size_t i = 0; i < options->focus_count + options->hide_count; i++) {
        bool hide = i >= options->focus_count;
        const char *text = hide ? options->hide[i - options->focus_count] : options->focus[i];
        int error = mark(view, options, text, has);
        if (error)
            return error;
        for (uint32_t j = 0; j < view->node_count; j++)
            counted[j] &= has[j] ^ hide;
    }
    *ret_nodes = take_pointer(counted);
    return 0;
}

int query_focus_frames(const struct profile_view *view, const char *text,
                       const struct query_frames *frames, unsigned char **ret_matches)
{
    struct focus focus;
    _cleanup_matches_ struct matches matches = {0};
    _cleanup_free_ unsigned char *answer = calloc(frames->count + 1ul, 1);
    int error = parse(text, &focus);
    if (error || focus.is_only_path || focus.is_end)
        return -EINVAL;
    if (!answer)
        return -ENOMEM;
    symbols_lock_shared(view->symbols);
    error = match_names(view, &focus, &matches);
    symbols_unlock(view->symbols);
    if (error)
        return error;
    for (uint32_t i = 0; i < frames->count; i++)
        answer[i] = frame_matches(&matches, &focus, &frames->frames[i]);
    *ret_matches = take_pointer(answer);
    return 0;
}
