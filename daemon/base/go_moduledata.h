/*
 * What Go's runtime knows of its own program: a record of addresses that the linker leaves in the
 * data (struct moduledata of src/runtime/symtab.go). No symbol is needed to find it: its first
 * member points at the table of functions.
 */
#pragma once

#include "base/elf_sections.h"

/* As many members as are of interest. */
#define GO_MODULEDATA_WORDS 48
/* Where the code starts, by the number of the word; since Go 1.16. */
#define GO_MODULEDATA_TEXT 22

/*
 * Finds the record whose first two words are these addresses; those that the dynamic linker has yet
 * to fill in are taken from its relocations. 0, -ENOENT, -ENOMEM or -EIO.
 */
int go_moduledata_find(int fd, const struct elf_sections *sections, const uint64_t first[2],
                       uint64_t ret_words[GO_MODULEDATA_WORDS]);
