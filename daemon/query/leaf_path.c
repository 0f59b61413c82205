/* Stacks that end with a path, from caller to leaf: found from the root down by the automaton of
 * Knuth, Morris and Pratt (1977), whose steps are few however often the path repeats itself. */
#include "query/leaf_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define NO_ELEMENT UINT32_MAX
#define START_OVER UINT32_MAX /* not even the first element matches */

struct element {
    const char *name;
    uint32_t position;
};

struct leaf_path {
    char *text;              /* owned; the names, each with its end */
    struct element *by_name; /* owned; sorted by name, then by position */
    uint32_t *wanted;        /* owned; per position: the first position with the same name */
    uint32_t *shorter;       /* owned; per matched length: the next one to try */
    uint32_t *of_function;   /* owned; per function: the first position with its name */
    uint32_t count;
};

static void leaf_path_clear(struct leaf_path *leaf)
{
    free(leaf->text);
    free(leaf->by_name);
    free(leaf->wanted);
    free(leaf->shorter);
    free(leaf->of_function);
}

#define _cleanup_leaf_path_ __attribute__((cleanup(leaf_path_clear)))

static int compare_elements(const void *left, const void *right)
{
    const struct element *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : (a->position > b->position) - (a->position < b->position);
}

/* Takes the path apart, in the place of its copy. */
static void split(struct leaf_path *leaf, const char *path)
{
    char *to = leaf->text, *name = to;
    for (; *path; path++) {
        if (*path == ';') {
            *to++ = '\0';
            leaf->by_name[leaf->count] = (struct element){name, leaf->count};
            leaf->count++;
            name = to;
            continue;
        }
        if (path[0] == '\\' && (path[1] == ';' || path[1] == '\\'))
            path++;
        *to++ = *path;
    }
}

static void find_equal(struct leaf_path *leaf)
{
    qsort(leaf->by_name, leaf->count, sizeof *leaf->by_name, compare_elements);
    uint32_t first = 0;
    for (uint32_t i = 0; i < leaf->count; i++) {
        if (i == 0 || strcmp(leaf->by_name[i].name, leaf->by_name[i - 1].name) != 0)
            first = leaf->by_name[i].position;
        leaf->wanted[leaf->by_name[i].position] = first;
    }
}

/* The first position with the name, or NO_ELEMENT. */
static uint32_t find(const struct leaf_path *leaf, const char *name)
{
    uint32_t low = 0, high = leaf->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(leaf->by_name[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < leaf->count && strcmp(leaf->by_name[low].name, name) == 0;
    return found ? leaf->by_name[low].position : NO_ELEMENT;
}

/* The length that is matched after another frame, of which `element` is the name. */
static uint32_t step(const struct leaf_path *leaf, uint32_t length, uint32_t element)
{
    if (element == NO_ELEMENT)
        return 0;
    while (length != START_OVER && (length == leaf->count || leaf->wanted[length] != element))
        length = leaf->shorter[length];
    return length + 1; /* START_OVER + 1 is 0 */
}

/* What is left of a match when its next element is not there: never one that wants the same. */
static void find_shorter(struct leaf_path *leaf)
{
    uint32_t border = 0;
    leaf->shorter[0] = START_OVER;
    for (uint32_t i = 1; i <= leaf->count; i++) {
        bool same = i < leaf->count && leaf->wanted[i] == leaf->wanted[border];
        leaf->shorter[i] = same ? leaf->shorter[border] : border;
        if (i < leaf->count)
            border = step(leaf, border, leaf->wanted[i]);
    }
}

static int leaf_path_init(struct leaf_path *leaf, const struct profile_view *view, const char *path)
{
    size_t length = strlen(path);
    uint32_t function_count = symbols_function_count(view->symbols);
    leaf->text = malloc(length + 1);
    leaf->by_name = calloc(length + 1, sizeof *leaf->by_name);
    leaf->wanted = calloc(length + 1, sizeof *leaf->wanted);
    leaf->shorter = calloc(length + 1, sizeof *leaf->shorter);
    leaf->of_function = calloc(function_count + 1ul, sizeof *leaf->of_function);
    if (!leaf->text || !leaf->by_name || !leaf->wanted || !leaf->shorter || !leaf->of_function)
        return -ENOMEM;
    split(leaf, path);
    find_equal(leaf);
    find_shorter(leaf);
    for (uint32_t i = 0; i < function_count; i++)
        leaf->of_function[i] = find(leaf, symbols_function(view->symbols, i).name);
    return 0;
}

/* The frames of one location, root-most first; only the physical one when inlines are not shown. */
static uint32_t step_location(const struct leaf_path *leaf, const struct profile_view *view,
                              enum query_inlines inlines, uint32_t length, uint32_t location)
{
    struct frame_span span = symbols_frames(view->symbols, location);
    if (span.count == 0)
        return step(leaf, length, leaf->of_function[0]);
    uint32_t last = inlines == QUERY_INLINES_CALLED ? span.count - 1 : 0;
    for (uint32_t i = span.count; i > last; i--)
        length = step(leaf, length, leaf->of_function[span.frames[i - 1].function]);
    return length;
}

int leaf_path_mark(const struct profile_view *view, const struct query_options *options,
                   const char *path, unsigned char *nodes)
{
    _cleanup_leaf_path_ struct leaf_path leaf = {0};
    _cleanup_free_ uint32_t *lengths = calloc(view->node_count + 1ul, sizeof *lengths);
    if (!lengths)
        return -ENOMEM;
    int error = leaf_path_init(&leaf, view, path);
    for (uint32_t i = 1; i < view->node_count && !error; i++) {
        struct trie_node node = stack_trie_node(view->trie, i);
        bool hidden = options->hide_kernel && query_is_kernel(view, node.location);
        lengths[i] = lengths[node.parent];
        if (!hidden)
            lengths[i] = step_location(&leaf, view, options->inlines, lengths[i], node.location);
        nodes[i] |= lengths[i] == leaf.count;
    }
    return error;
}
