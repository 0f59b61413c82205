/* Builds a unit's inline tree from one scan over its DIEs. */
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

/* A node that encloses the DIE being read. */
struct enclosing {
    uint32_t node, depth;
};

struct builder {
    struct inline_tree tree;
    const struct unit_data *unit; /* borrowed */
    uint64_t text_vaddr;
    uint64_t list_bytes;  /* of range lists that were read so far */
    struct range *ranges; /* owned */
    size_t range_count, range_capacity;
    struct enclosing *stack; /* owned */
    size_t stack_count, stack_capacity;
};

/*
 * Children come after their parents and so count before them; of two calls that claim the same
 * code, as compilers sometimes say, the later one does (as LLVM has it).
 */
static int add_range(struct builder *builder, uint64_t start, uint64_t end)
{
    if (start < builder->text_vaddr || end <= start || builder->range_count >= RANGES_MAX)
        return 0;
    if (array_reserve(&builder->ranges, &builder->range_capacity, builder->range_count + 1,
                      sizeof *builder->ranges))
        return -ENOMEM;
    uint32_t node = (uint32_t)builder->tree.count;
    builder->ranges[builder->range_count++] =
        (struct range){.start = start, .end = end, .value = node, .order = node};
    return 0;
}

static int add_listed_ranges(struct builder *builder, const struct scanned_die *die)
{
    struct range_list list;
    uint64_t start, end;
    int error = 0;
    range_list_start(&list, builder->unit, die->ranges, die->ranges_is_index);
    uint64_t from = list.reader.offset;
    while (!error && builder->list_bytes + (list.reader.offset - from) < LIST_BYTES_MAX &&
           range_list_next(&list, &start, &end))
        error = add_range(builder, start, end);
    builder->list_bytes += list.reader.offset - from;
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
    struct inline_tree *tree = &builder->tree;
    bool inlined = die->tag == DW_TAG_inlined_subroutine;
    struct inline_node node = {
        .die = (uint32_t)(die->offset - builder->unit->header.offset),
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

static int add_die(struct builder *builder, const struct scanned_die *die)
{
    while (builder->stack_count && builder->stack[builder->stack_count - 1].depth >= die->enclosed)
        builder->stack_count--;
    if (builder->tree.count >= NODE_NONE - 1 ||
        die->offset - builder->unit->header.offset > UINT32_MAX)
        return 0;
    size_t before = builder->range_count;
    int error = 0;
    if (die->has_range_list)
        error = add_listed_ranges(builder, die);
    else if (die->has_range)
        error = add_range(builder, die->low, die->high);
    if (error || builder->range_count == before)
        return error;
    return add_node(builder, die);
}

static int scan_unit(struct builder *builder, struct die_scan *scan)
{
    struct scanned_die die;
    while (die_scan_next(scan, &die) > 0) {
        int error = add_die(builder, &die);
        if (error)
            return error;
    }
    return 0;
}

static int build(struct builder *builder, const struct abbreviations *abbreviations)
{
    struct die_scan scan;
    if (die_scan_start(&scan, builder->unit, abbreviations))
        return 0;
    int error = scan_unit(builder, &scan);
    return error ? error
                 : range_map_build(builder->ranges, builder->range_count, &builder->tree.map);
}

int inline_tree_read(const struct unit_data *unit, uint64_t text_vaddr,
                     struct inline_tree *ret_tree)
{
    struct builder builder = {.unit = unit, .text_vaddr = text_vaddr};
    struct abbreviations abbreviations;
    *ret_tree = (struct inline_tree){0};
    int error = abbreviations_read(&unit->header, unit->abbreviations, &abbreviations);
    if (error)
        return error == -ENOMEM ? error : 0;
    error = build(&builder, &abbreviations);
    abbreviations_free(&abbreviations);
    free(builder.ranges);
    free(builder.stack);
    if (error)
        inline_tree_free(&builder.tree);
    else
        *ret_tree = builder.tree;
    return error;
}

uint32_t inline_tree_find(const struct inline_tree *tree, uint64_t vaddr)
{
    uint32_t node = range_map_find(&tree->map, vaddr);
    return node < tree->count ? node : NODE_NONE;
}

size_t inline_tree_bytes(const struct inline_tree *tree)
{
    return tree->capacity * sizeof *tree->nodes + range_map_bytes(&tree->map);
}

void inline_tree_free(struct inline_tree *tree)
{
    free(tree->nodes);
    range_map_free(&tree->map);
    *tree = (struct inline_tree){0};
}
