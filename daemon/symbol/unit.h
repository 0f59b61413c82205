/* One unit's answers: lines, inlined calls and files, decoded when it is first touched. */
#pragma once

#include "symbol/debug_image.h"
#include "symbol/elf_symbols.h"
#include "symbol/inline_tree.h"
#include "symbol/line_table.h"
#include "symbol/split_search.h"
#include "symbol/store.h"
#include "symbol/unit_scopes.h"

struct unit {
    struct unit_header header;
    struct line_table lines;
    struct inline_tree tree;
    struct split_unit *split;       /* owned: whose DIEs the tree is of; NULL when they are here */
    struct line_header line_header; /* borrows from the image */
    char *directory;                /* owned: DW_AT_comp_dir */
    struct unit_scopes scopes;
    uint32_t *file_ids; /* owned: published ids of its files, 0 while nobody asked */
};

/* What resolving an address needs beside the unit. All borrowed. */
struct unit_context {
    const struct debug_image *image;
    const struct elf_symbols *symbols;
    struct store *store;
    uint32_t module;
    uint32_t fallback; /* the function when no DIE covers the address */
};

/* Where a unit is read from. All borrowed. */
struct unit_source {
    const struct debug_image *image;
    const char *path; /* of the file that the image is of */
    const struct elf_symbols *symbols;
    uint64_t text_vaddr;
    struct split_search *splits; /* NULL: files of split units must not be looked for */
};

/* What the root DIE says of the unit; borrows from the image. */
struct unit_data unit_describe(const struct debug_image *image, const struct unit_header *header,
                               Dwarf_Die *die);

/*
 * Borrows from the image. 0, -ENOMEM, -EBADMSG when the unit has no root DIE, or -ENOENT when it
 * is a split one that must not be looked for.
 */
int unit_read(const struct unit_source *source, const struct unit_header *header,
              struct unit **ret_unit);
void unit_free(struct unit *unit);

/*
 * The frames at vaddr, innermost first, at most FRAMES_PER_LOCATION_MAX. Functions and files are
 * published on the way. 0 or -ENOMEM.
 */
int unit_resolve(struct unit *unit, const struct unit_context *context, uint64_t vaddr,
                 struct frame *ret_frames, size_t *ret_count);

/* Whether something of it could not be read, as far as anything was asked for. */
bool unit_is_damaged(const struct unit *unit);

size_t unit_bytes(const struct unit *unit);
