/*
 * The Go program in an ELF file: its table of functions, and what the table refers to. The file is
 * read with pread alone: its owner may change it at any time.
 */
#pragma once

#include "base/go_pclntab.h"

struct go_module {
    int fd;               /* borrowed */
    unsigned char *bytes; /* owned: of the table */
    size_t length;
    uint64_t vaddr; /* of the table */
    struct go_pclntab table;
    /* Inline trees: what places count from; the section they are in. No bytes: not known. */
    uint64_t tree_base, tree_vaddr, tree_offset, tree_bytes;
};

/* 0, -ENOMEM, -ENOENT when the file has no such table, or -EBADMSG, -EFBIG, -EIO. */
int go_module_open(int fd, struct go_module *ret_module);
void go_module_close(struct go_module *module);

/* Finds the inline trees; unless they are found, go_module_inlined() has no answers. */
void go_module_find_trees(struct go_module *module);

/* The innermost call that was inlined at `vaddr` of the function. False when there is none. */
bool go_module_inlined(const struct go_module *module, struct go_function *function, uint64_t vaddr,
                       struct go_inlined *ret_inlined);
