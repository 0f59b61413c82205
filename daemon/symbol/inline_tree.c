/* Builds inline trees: one scan finds a unit's functions, another what was inlined into one. */
#include "symbol/inline_tree.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "symbol/die_scan.h"
#include "symbol/range_list.h"

#define RANGES_MAX (1u << 23)
/* Many DIEs may name the same long list. */
#define LIST_BYTES_MAX (UINT64_C(256) << 20)
/*
 * How often all DIEs of a unit may be read over for calls. Functions are seldom nested, so that
 * twice is plenty for a compiler's work, and the work that others can make us do is bounded.
 */
#define PASSES_MAX 16

/* A node that encloses the DIE being read. */
struct enclosing {
    uint32_t node, depth;
};

struct builder {
    struct inline_tree *tree; /* borrowed */
    uint64_t list_bytes;      /* of range lists that were read so far */
    struct range *ranges;     /* owned */
    size_t range_count, range_capacity;
    struct enclosing *stack; /* owned */
    size_t stack_count, stack_capacity;
};

/*
 * Children come after their parents and so count before them; of two calls that claim the same
 * code, as compilers sometimes say, the later one does (as LLVM has it).
 */
static int add_range(struct builder *builder, uint32_t value, uint64_t start, uint64_t end)
{
    if (start < builder->tree->text_vaddr || end <= start || builder->range_count >= RANGES_MAX)
        return 0;
    if (array_reserve(&builder->ranges, &builder->range_capacity, builder->range_count + 1,
                      sizeof *builder->ranges))
        return -ENOMEM;
    builder->ranges[builder->range_count++] =
        (struct range){.start = start, .end = end, .value = value, .order = value};
    return 0;
}

static int add_listed_ranges(struct builder *builder, uint32_t value, const struct scanned_die *die)
{
    struct range_list list;
    uint64_t start, end;
    int error = 0;
    range_list_start(&list, &builder->tree->unit, die->ranges, die->ranges_is_index);
    uint64_t from = list.reader.offset;
    while (!error && builder->list_bytes + (list.reader.offset - from) < LIST_BYTES_MAX &&
           range_list_next(&list, &start, &end))
        error = add_range(builder, value, start, end);
    builder->list_bytes += list.reader.offset - from;
    return error;
}

/* *ret_has_code: there was at least one that is not empty or discarded. */
static int add_ranges(struct builder *builder, uint32_t value, const struct scanned_die *die,
                      bool *ret_has_code)
{
    size_t before = builder->range_count;
    int error = 0;
    if (die->has_range_list)
        error = add_listed_ranges(builder, value, die);
    else if (die->has_range)
        error = add_range(builder, value, die->low, die->high);
    *ret_has_code = builder->range_count > before;
    return error;
}

static int push(struct builder *builder, uint32_t node, uint32_t depth)
{
    if (array_reserve(&builder->stack, &builder->stack_capacity, builder->stack_count + 1,
                      sizeof *builder->stack))
        return -ENOMEM;
    builder->stack[builder->stack_count++] = (struct enclosing){node, depth};
    return 0;
}

static int add_node(struct builder *builder, const struct scanned_die *die)
{
    struct inline_tree *tree = builder->tree;
    bool inlined = die->tag == DW_TAG_inlined_subroutine;
    struct inline_node node = {
        .die = (uint32_t)(die->offset - tree->unit.header.offset),
        .parent = inlined && builder->stack_count ? builder->stack[builder->stack_count - 1].node
                                                  : NODE_NONE,
        .call_file = inlined ? die->call_file : 0,
        .call_line = inlined ? die->call_line : 0,
        .call_column = inlined && die->call_column <= UINT16_MAX ? (uint16_t)die->call_column : 0,
    };
    if (array_reserve(&tree->nodes, &tree->capacity, tree->count + 1, sizeof *tree->nodes))
        return -ENOMEM;
    tree->nodes[tree->count++] = node;
    return push(builder, (uint32_t)tree->count - 1, die->depth);
}

/* A DIE on the way through a function. */
static int add_call(struct builder *builder, const struct scanned_die *die)
{
    struct inline_tree *tree = builder->tree;
    bool has_code;
    while (builder->stack_count && builder->stack[builder->stack_count - 1].depth >= die->enclosed)
        builder->stack_count--;
    if (tree->count >= NODE_NONE - 1 || die->offset - tree->unit.header.offset > UINT32_MAX)
        return 0;
    int error = add_ranges(builder, (uint32_t)tree->count, die, &has_code);
    return error || !has_code ? error : add_node(builder, die);
}

/* A function on the way through a unit. */
static int add_function(struct builder *builder, const struct scanned_die *die)
{
    struct inline_tree *tree = builder->tree;
    size_t first = builder->range_count;
    bool has_code;
    if (tree->function_count >= RANGE_NONE)
        return 0;
    int error = add_ranges(builder, (uint32_t)tree->function_count, die, &has_code);
    if (error || !has_code)
        return error;
    if (array_reserve(&tree->functions, &tree->function_capacity, tree->function_count + 1,
                      sizeof *tree->functions))
        return -ENOMEM;
    tree->functions[tree->function_count++] = (struct inline_function){
        .offset = die->offset,
        .origin = die->origin,
        .entry = builder->ranges[first].start,
        .node = NODE_NONE,
    };
    return 0;
}

static int build(struct builder *builder, struct die_scan *scan,
                 int (*add)(struct builder *builder, const struct scanned_die *die),
                 struct range_map *ret_map)
{
    struct scanned_die die;
    int error = 0, found = 0;
    while (!error && (found = die_scan_next(scan, &die)) > 0)
        error = add(builder, &die);
    builder->tree->is_damaged |= found < 0;
    if (!error)
        error = range_map_build(builder->ranges, builder->range_count, ret_map);
    free(builder->ranges);
    free(builder->stack);
    return error;
}

static int find_functions(struct inline_tree *tree)
{
    struct builder builder = {.tree = tree};
    struct die_scan scan;
    tree->is_damaged = die_scan_start(&scan, &tree->unit, &tree->abbreviations);
    if (tree->is_damaged)
        return 0;
    scan.wanted = DIE_IS_FUNCTION;
    return build(&builder, &scan, add_function, &tree->map);
}

int inline_tree_read(const struct unit_data *unit, uint64_t text_vaddr,
                     struct inline_tree *ret_tree)
{
    struct inline_tree tree = {
        .unit = *unit,
        .text_vaddr = text_vaddr,
        .work_left = (unit->header.end - unit->header.offset) * PASSES_MAX,
    };
    *ret_tree = (struct inline_tree){0};
    int error = abbreviations_read(&unit->header, unit->abbreviations, &tree.abbreviations);
    ret_tree->is_damaged = error;
    if (error)
        return error == -ENOMEM ? error : 0;
    error = find_functions(&tree);
    if (error)
        inline_tree_free(&tree);
    else
        *ret_tree = tree;
    return error;
}

/* Reads what was inlined into a function, which itself comes first. */
static int read_calls(struct inline_tree *tree, struct inline_function *function)
{
    struct builder builder = {.tree = tree};
    struct die_scan scan;
    if (function->node != NODE_NONE || tree->work_left == 0 ||
        die_scan_start(&scan, &tree->unit, &tree->abbreviations))
        return 0;
    scan.reader.offset = function->offset;
    size_t first = tree->count;
    int error = build(&builder, &scan, add_call, &function->map);
    uint64_t work = scan.reader.offset - function->offset;
    tree->work_left -= work < tree->work_left ? work : tree->work_left;
    if (error || tree->count == first)
        return error;
    function->node = (uint32_t)first;
    tree->map_bytes += range_map_bytes(&function->map);
    return 0;
}

int inline_tree_find(struct inline_tree *tree, uint64_t vaddr, uint32_t *ret_node)
{
    uint32_t position = range_map_find(&tree->map, vaddr);
    *ret_node = NODE_NONE;
    if (position >= tree->function_count)
        return 0;
    struct inline_function *function = &tree->functions[position];
    int error = read_calls(tree, function);
    if (error)
        return error;
    uint32_t node = range_map_find(&function->map, vaddr);
    *ret_node = node < tree->count ? node : function->node;
    return 0;
}

const struct inline_function *inline_tree_function(const struct inline_tree *tree, uint64_t offset)
{
    size_t low = 0, high = tree->function_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tree->functions[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < tree->function_count && tree->functions[low].offset == offset
               ? &tree->functions[low]
               : NULL;
}

bool inline_tree_has_twin(const struct inline_tree *tree, uint64_t offset)
{
    const struct inline_function *function = inline_tree_function(tree, offset);
    for (size_t i = 0; function && i < tree->function_count; i++)
        if (tree->functions[i].entry == function->entry && &tree->functions[i] != function)
            return true;
    return false;
}

static int compare_copies(const void *left, const void *right)
{
    const struct inline_copy *a = left, *b = right;
    if (a->origin != b->origin)
        return a->origin < b->origin ? -1 : 1;
    return a->function < b->function ? -1 : a->function > b->function;
}

static int find_copies(struct inline_tree *tree)
{
    tree->copies = calloc(tree->function_count + 1, sizeof *tree->copies);
    if (!tree->copies)
        return -ENOMEM;
    for (size_t i = 0; i < tree->function_count; i++)
        if (tree->functions[i].origin)
            tree->copies[tree->copy_count++] =
                (struct inline_copy){tree->functions[i].origin, (uint32_t)i};
    qsort(tree->copies, tree->copy_count, sizeof *tree->copies, compare_copies);
    return 0;
}

int inline_tree_copy(struct inline_tree *tree, uint64_t origin,
                     const struct inline_function **ret_function)
{
    int error = tree->copies ? 0 : find_copies(tree);
    if (error)
        return error;
    size_t low = 0, high = tree->copy_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tree->copies[middle].origin < origin)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_function = low < tree->copy_count && tree->copies[low].origin == origin
                        ? &tree->functions[tree->copies[low].function]
                        : NULL;
    return 0;
}

size_t inline_tree_bytes(const struct inline_tree *tree)
{
    return tree->capacity * sizeof *tree->nodes +
           tree->function_capacity * sizeof *tree->functions + range_map_bytes(&tree->map) +
           (tree->copies ? (tree->function_count + 1) * sizeof *tree->copies : 0) +
           tree->map_bytes + abbreviations_bytes(&tree->abbreviations);
}

void inline_tree_free(struct inline_tree *tree)
{
    for (size_t i = 0; i < tree->function_count; i++)
        range_map_free(&tree->functions[i].map);
    free(tree->functions);
    free(tree->copies);
    free(tree->nodes);
    range_map_free(&tree->map);
    abbreviations_free(&tree->abbreviations);
    *tree = (struct inline_tree){0};
}
