/* The little that mapping code needs of an ELF file: executable segments and build-id. */
#pragma once

#include "lprofd/module.h"

/*
 * Fills segments and build_id of *module from module->fd (which is read with pread only).
 * 0; -ENOEXEC when it is no 64-bit ELF file of this machine's byte order; -ENOMEM.
 */
int elf_file_read(struct module *module);
