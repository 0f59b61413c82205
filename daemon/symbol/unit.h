/* One unit's answers: lines, inlined calls and files, decoded when it is first touched. */
#pragma once

#include "symbol/inline_tree.h"
#include "symbol/line_table.h"
#include "symbol/store.h"

struct unit {
    struct unit_header header;
    struct line_table lines;
    struct inline_tree tree;
    char *directory;    /* owned: DW_AT_comp_dir */
    char *paths;        /* owned: names of its files, NUL between them */
    uint32_t *path_at;  /* owned: offset of each file's name in paths */
    uint32_t *file_ids; /* owned: published ids, 0 while nobody asked */
    size_t file_count, path_bytes;
    struct line_md5 md5; /* of its files */
};

/* What resolving an address needs beside the unit. All borrowed. */
struct unit_context {
    const struct debug_image *image;
    struct store *store;
    uint32_t module;
    uint32_t fallback; /* the function when no DIE covers the address */
};

/* Copies all it needs out of libdw. 0, -ENOMEM, or -EBADMSG when the unit has no root DIE. */
int unit_read(const struct debug_image *image, const struct unit_header *header,
              uint64_t text_vaddr, struct unit **ret_unit);
void unit_free(struct unit *unit);

/*
 * The frames at vaddr, innermost first, at most FRAMES_PER_LOCATION_MAX. Functions and files are
 * published on the way. 0 or -ENOMEM.
 */
int unit_resolve(struct unit *unit, const struct unit_context *context, uint64_t vaddr,
                 struct frame *ret_frames, size_t *ret_count);

size_t unit_bytes(const struct unit *unit);
