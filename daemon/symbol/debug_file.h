/* Finds the file that holds a module's debug information, and the alternate file dwz split off. */
#pragma once

#include "lprofd/module.h"
#include "lprofd/privilege.h"
#include "symbol/elf_reader.h"

/*
 * Searches below the root of the module's target, with its rights, then our own, for the split
 * debug file of `binary`: by build-id, then by .gnu_debuglink (gdb manual, "Separate Debug Files").
 * *ret_file owns its descriptor; *ret_path is malloc'ed. 0, -ENOENT (also when it was cancelled)
 * or -ENOMEM.
 */
int debug_file_find(const struct module *module, const struct elf_reader *binary,
                    const struct cancel *cancel, struct elf_reader **ret_file, char **ret_path);

/*
 * The dwz alternate file that `file` (found at `path`) names in .gnu_debugaltlink; its build-id is
 * checked. 0, -ENODATA when it names none, -ENOENT when that is nowhere, -ESTALE when another
 * build's is in its place, or -ENOMEM. *ret_named is malloc'ed: its place, but for -ENODATA.
 */
int debug_file_find_alternate(const struct target *target, const struct elf_reader *file,
                              const char *path, struct elf_reader **ret_file, char **ret_named);
