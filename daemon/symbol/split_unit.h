/* The part of a compiled unit that is in a .dwo file or package: its DIEs, and their names. */
#pragma once

#include "symbol/abbreviation.h"
#include "symbol/split_file.h"

struct split_unit {
    struct unit_data data;              /* borrows from part, and from the skeleton's sections */
    struct abbreviations abbreviations; /* owned */
    struct split_part part;             /* owned */
    struct split_file *own_file;        /* owned: the .dwo; NULL when a package holds it */
    struct span strings;                /* borrowed from that file */
    uint64_t string_offsets_base;
};

/* What a DIE says about its function. */
struct split_function {
    const char *linkage_name, *name; /* NULL unknown. Borrowed */
    uint64_t file;     /* where it is declared, as the skeleton's line table numbers files */
    uint32_t line;     /* 0 unknown */
    uint32_t language; /* DW_AT_language, which a root DIE has; 0 unknown */
    uint64_t origin;   /* the DIE that it refers to; 0: none */
    uint64_t declared; /* the one at the end of that chain */
};

/*
 * Finds the unit with that id in a file. `skeleton` gives the sections and bases that are in the
 * linked file; its bytes must outlive the unit, and so must `file` unless it becomes own_file.
 * 0, -ENOMEM, -ENOENT when the file has no such unit, or as split_file_part().
 */
int split_unit_read(struct split_file *file, uint64_t id, const struct unit_data *skeleton,
                    struct split_unit **ret_unit);
void split_unit_free(struct split_unit *unit);
size_t split_unit_bytes(const struct split_unit *unit);

/* The function of the DIE at that offset of data.info, through at most 16 references. */
struct split_function split_unit_function(const struct split_unit *unit, uint64_t offset);
