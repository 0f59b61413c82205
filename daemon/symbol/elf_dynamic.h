/* Sections of a file that lost their headers (sstrip), as far as program headers tell. */
#pragma once

#include <libelf.h>

#include "symbol/elf_reader.h"

/*
 * Fills the file's sections: one for each executable segment, .dynsym and .dynstr where PT_DYNAMIC
 * says that the dynamic linker finds them, and .eh_frame_hdr and .eh_frame (to the end of its
 * segment) by PT_GNU_EH_FRAME. 0 or -ENOMEM; what is not sane is left out.
 */
int elf_dynamic_read(Elf *elf, uint64_t file_bytes, struct elf_reader *file);
