/* The header of a line program (DWARF 2-5 §6.2.4): how it is encoded, and the files it names. */
#pragma once

#include "base/md5.h"
#include "symbol/span.h"

struct line_sections {
    struct span line, str, line_str;
};

/* A file as the program numbers it. All strings are borrowed from the sections. */
struct line_file {
    const char *directory;    /* NULL: that of the compilation */
    const char *name;         /* NULL: nobody's number, or longer than a path may be */
    const unsigned char *md5; /* MD5_BYTES of them, or NULL */
};

struct line_header {
    uint16_t version;
    uint8_t instruction_bytes; /* the smallest instruction: what an address advances by */
    uint8_t operations;        /* per instruction, at least 1 (VLIW) */
    int8_t line_base;
    uint8_t line_range;            /* not 0 */
    uint8_t opcode_base;           /* the first special opcode */
    const uint8_t *operand_counts; /* of the standard opcodes, from 1; borrowed */
    struct reader program;         /* its instructions */
    struct line_file *files;       /* owned */
    size_t file_count, file_capacity;
    const char **directories; /* owned */
    size_t directory_count, directory_capacity;
};

/*
 * Reads the header at `offset` of .debug_line. 0, -ENOMEM, or -EBADMSG when there is no sane one.
 */
int line_header_read(const struct line_sections *sections, uint64_t offset,
                     struct line_header *ret_header);

/* How long the header and its program are together; 0 when there is none. */
uint64_t line_header_extent(const struct line_sections *sections, uint64_t offset);

/* Adds a file that the program itself defines (DW_LNE_define_file). 0 or -ENOMEM. */
int line_header_define_file(struct line_header *header, struct reader *operands);

size_t line_header_bytes(const struct line_header *header);
void line_header_free(struct line_header *header);
