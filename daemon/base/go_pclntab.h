/*
 * Go's table of functions: names, lines, inlined calls and frame sizes by address. Every program of
 * Go's own compiler carries it, stripped or not, because its runtime reads it
 * (golang.org/s/go12symtab; src/runtime/symtab.go, src/debug/gosym/pclntab.go). Parses bytes that
 * came from outside.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The formats, by the first release of Go that wrote them. */
enum go_version { GO_1_2, GO_1_16, GO_1_18, GO_1_20 };

struct go_pclntab {
    const unsigned char *bytes; /* borrowed */
    size_t length;
    enum go_version version;
    unsigned quantum; /* of instructions, in bytes */
    uint64_t text;    /* what functions' addresses count from, since GO_1_18 */
    size_t names, units, files, values, functions; /* where those parts start */
    uint32_t function_count;
};

/*
 * Little-endian and 64-bit only. 0 or -EBADMSG. Where the table leaves it to the dynamic linker or
 * to the runtime to say where the code starts, `text` is 0, and the caller has to fill it in.
 */
int go_pclntab_open(const void *bytes, size_t length, struct go_pclntab *ret_table);

/* What a function's record says. */
struct go_function {
    uint64_t start, end;                 /* vaddrs */
    const char *name;                    /* borrowed from the table */
    uint32_t line;                       /* where it is declared; 0: not said */
    uint8_t flags;                       /* enum go_function_flag */
    uint32_t stack, file_numbers, lines; /* tables: offsets into values; 0: none */
    uint32_t unit;
    uint32_t value_count, data_count; /* of tables and of data that are found by number */
    size_t value_offsets, data_offsets;
    uint32_t steps_left; /* that may be spent on its tables; 0: answers since then are missing */
};

/* Since Go 1.17. */
enum go_function_flag {
    GO_FUNCTION_TOP = 1,        /* the outermost of its stack */
    GO_FUNCTION_SETS_STACK = 2, /* switches to another stack: frame sizes say nothing of it */
};

/* The function that covers `vaddr`. 0, -ENOENT, or -EBADMSG. O(log functions). */
int go_pclntab_find(const struct go_pclntab *table, uint64_t vaddr,
                    struct go_function *ret_function);

/* The function at this position, of function_count. 0 or -EBADMSG. O(1). */
int go_pclntab_get(const struct go_pclntab *table, uint32_t index,
                   struct go_function *ret_function);

/*
 * The file and the line of the code at `vaddr`. False when the function does not say. Borrowed from
 * the table. O(length of the function).
 */
bool go_function_place(const struct go_pclntab *table, struct go_function *function, uint64_t vaddr,
                       const char **ret_file, uint32_t *ret_line);

/* How many bytes the frame takes at `vaddr`, without the return address; -1: not said. */
int32_t go_function_frame_bytes(const struct go_pclntab *table, struct go_function *function,
                                uint64_t vaddr);

/* The position of the innermost inlined call at `vaddr` in the function's tree; -1: none. */
int32_t go_function_inlined(const struct go_pclntab *table, struct go_function *function,
                            uint64_t vaddr);

/*
 * Where that tree is: an address (GO_1_16), or an offset from where such data begin (GO_1_18 and
 * later). False when it has none.
 */
bool go_function_tree(const struct go_pclntab *table, const struct go_function *function,
                      uint64_t *ret_place);

#define GO_INLINED_BYTES_MAX 20

/* An inlined call, decoded from the bytes of the tree at its position. */
struct go_inlined {
    const char *name;
    uint32_t line;       /* where it is declared; 0: not said */
    uint64_t call_vaddr; /* an instruction that has the place of the call */
};

/* The size of an entry, at most GO_INLINED_BYTES_MAX. */
size_t go_inlined_bytes(const struct go_pclntab *table);

/* False when the entry is not plausible. */
bool go_inlined_read(const struct go_pclntab *table, const struct go_function *function,
                     const unsigned char *entry, struct go_inlined *ret_inlined);
