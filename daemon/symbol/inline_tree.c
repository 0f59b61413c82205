/* Builds a unit's inline tree from one scan over its DIEs. */
#include "symbol/inline_tree.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

#define RANGES_MAX (1u << 23)

/* A node that encloses the DIE being read. */
struct enclosing {
    uint32_t node, depth;
};

struct builder {
    struct inline_tree tree;
    uint64_t text_vaddr;
    uint64_t unit_offset;
    const unsigned char *info; /* .debug_info */
    Dwarf_Die *unit_die;
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

/* Range lists and indexed addresses are libdw's to read. */
static int add_listed_ranges(struct builder *builder, const struct scanned_die *die)
{
    Dwarf_Die handle = {.addr = (void *)(builder->info + die->offset), .cu = builder->unit_die->cu};
    ptrdiff_t offset = 0;
    Dwarf_Addr base, start, end;
    while (builder->range_count < RANGES_MAX &&
           (offset = dwarf_ranges(&handle, offset, &base, &start, &end)) > 0) {
        int error = add_range(builder, start, end);
        if (error)
            return error;
    }
    return 0;
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
        .die = (uint32_t)(die->offset - builder->unit_offset),
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
    if (builder->tree.count >= NODE_NONE - 1 || die->offset - builder->unit_offset > UINT32_MAX)
        return 0;
    size_t before = builder->range_count;
    int error = 0;
    if (die->has_ranges_list)
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

int inline_tree_read(const struct debug_image *image, const struct unit_header *unit,
                     Dwarf_Die *unit_die, uint64_t text_vaddr, struct inline_tree *ret_tree)
{
    size_t info_bytes, abbrev_bytes;
    const unsigned char *info = debug_image_section(image, ".debug_info", &info_bytes);
    const unsigned char *abbrev = debug_image_section(image, ".debug_abbrev", &abbrev_bytes);
    struct die_scan scan;
    *ret_tree = (struct inline_tree){0};
    if (!info || !abbrev)
        return 0;
    int error = die_scan_start(&scan, unit, info, info_bytes, abbrev, abbrev_bytes);
    if (error)
        return error == -ENOMEM ? error : 0;

    struct builder builder = {
        .text_vaddr = text_vaddr, .unit_offset = unit->offset, .info = info, .unit_die = unit_die};
    error = scan_unit(&builder, &scan);
    if (!error)
        error = range_map_build(builder.ranges, builder.range_count, &builder.tree.map);
    die_scan_finish(&scan);
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
