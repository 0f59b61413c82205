/* Finds .eh_frame by program headers, as the program's own run time does (sstrip leaves no others).
 */
#pragma once

#include <elf.h>
#include <stddef.h>

/*
 * Describes it as a section that reaches to the end of its segment, at most `max` bytes: 0, -EIO,
 * or -ENOENT when no segment has it.
 */
int cfi_segment_find(int fd, const Elf64_Ehdr *header, uint64_t max, Elf64_Shdr *ret_section);

/* How many of the bytes are .eh_frame's: up to the terminator, the entry of no length. */
size_t cfi_segment_length(const unsigned char *bytes, size_t length);
