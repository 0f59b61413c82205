/* MiniDebugInfo: the symbols that distributions leave in stripped binaries, compressed. */
#pragma once

#include "symbol/elf_reader.h"

/*
 * Unpacks .gnu_debugdata (an ELF file in xz; gdb manual, "MiniDebugInfo") into memory. 0, -ENOENT
 * when there is none, -EBADMSG, -EFBIG (beyond what we are willing to hold), -EIO or -ENOMEM.
 */
int mini_debug_open(const struct elf_reader *binary, struct elf_reader **ret_file);
