/*
 * All answers of one unit, as they are kept on disk: which frames are at an address. Names, paths
 * and numbers are in it: neither the debug file nor libdw is needed.
 */
#pragma once

#include "symbol/store.h"

#define STORED_NONE UINT32_MAX

/* In front of the arrays, which follow in the order of their counts. Offsets are into strings. */
struct stored_unit_header {
    uint64_t base; /* vaddr that the rows count from */
    uint32_t row_count, node_count, function_count, file_count;
    uint32_t string_bytes; /* the last of them is a NUL */
    uint32_t padding;
};

/* Holds from its address to the next row's. Sorted. */
struct stored_row {
    uint32_t offset; /* from the base */
    uint32_t node;   /* the innermost frame; STORED_NONE: nothing is known */
};

/* A frame and, by its position, the one that it was inlined into: one before it, or STORED_NONE. */
struct stored_node {
    uint32_t function; /* from 1; 0: the one that the ELF symbol names */
    uint32_t file;     /* from 1; 0 unknown */
    uint32_t line, column;
    uint32_t caller;
};

struct stored_unit_function {
    uint32_t name, file, line;
};

struct stored_unit_file {
    uint32_t named, directory; /* as store_add_named_file() takes them */
    uint32_t has_md5;
    unsigned char md5[MD5_BYTES];
};

struct stored_unit {
    unsigned char *bytes; /* owned */
    size_t length;
    struct stored_unit_header header;
    const struct stored_row *rows; /* these point into bytes */
    const struct stored_node *nodes;
    const struct stored_unit_function *functions;
    const struct stored_unit_file *files;
    const char *strings;
    uint32_t *function_ids, *file_ids; /* owned: what they are published as, 0 while nobody asked */
};

/*
 * Takes over the bytes, which malloc() aligned. Every index and offset in them is checked. 0,
 * -ENOMEM or -EBADMSG.
 */
int stored_unit_open(unsigned char *bytes, size_t length, struct stored_unit **ret_unit);
void stored_unit_free(struct stored_unit *unit);
size_t stored_unit_bytes(const struct stored_unit *unit);

/*
 * The frames at vaddr as unit_resolve() found them. `fallback` is the function where no DIE names
 * one. Functions and files are published on the way. 0 or -ENOMEM.
 */
int stored_unit_resolve(struct stored_unit *unit, struct store *store, uint32_t module,
                        uint32_t fallback, uint64_t vaddr, struct frame *ret_frames,
                        size_t *ret_count);
