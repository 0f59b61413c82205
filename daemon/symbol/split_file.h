/*
 * Files of split DWARF (DWARF 5 §7.3.2, and GNU's version of it for DWARF 4): a .dwo file that a
 * compiler wrote, or a .dwp package of them (§7.3.5).
 */
#pragma once

#include "symbol/elf_reader.h"
#include "symbol/unit_data.h"

/* The sections that inline trees and names need. */
enum split_section {
    SPLIT_INFO,
    SPLIT_ABBREVIATIONS,
    SPLIT_STRING_OFFSETS,
    SPLIT_RANGE_LISTS,
    SPLIT_SECTIONS
};

struct split_file;

/* Takes over the descriptor. 0, -ENOMEM, or -ENOENT when it is no such file. */
int split_file_open(int fd, struct split_file **ret_file);
void split_file_free(struct split_file *file);

/* What it holds in memory. */
size_t split_file_bytes(const struct split_file *file);

/* One unit's part of the file. */
struct split_part {
    unsigned char *bytes[SPLIT_SECTIONS]; /* owned; NULL when there is none */
    size_t length[SPLIT_SECTIONS];
};

/*
 * Reads the sections that the unit with that id lies in: those of a .dwo whole. 0, -ENOMEM, -ENOENT
 * when a package has no such unit, -EFBIG, or as elf_reader_read().
 */
int split_file_part(struct split_file *file, uint64_t id, struct split_part *ret_part);
void split_part_free(struct split_part *part);

/* .debug_str.dwo, which all units share. Borrowed from the file. 0, or as elf_reader_read(). */
int split_file_strings(struct split_file *file, struct span *ret_strings);
