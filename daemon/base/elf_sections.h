/* The section headers of an ELF file, for who needs a few bytes of a few sections (gABI, ch. 4). */
#pragma once

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Far more than any program has. */
#define ELF_SECTIONS_MAX 65536

struct elf_sections {
    Elf64_Shdr *items; /* owned */
    size_t count;
    char *names; /* owned; ends with a NUL */
    size_t name_bytes;
};

/* Only 64-bit files of our own byte order. `fd` is borrowed. 0, -ENOENT or -EIO. */
int elf_header_read(int fd, Elf64_Ehdr *ret_header);

/* How many sections it claims to have. */
uint64_t elf_section_count(int fd, const Elf64_Ehdr *header);

/* The same files. `fd` is borrowed. 0, -ENOMEM, -ENOENT or -EIO. */
int elf_sections_read(int fd, struct elf_sections *ret_sections);
void elf_sections_free(struct elf_sections *sections);

/* The first of that name that has bytes in the file, as they are (not compressed); or NULL. */
const Elf64_Shdr *elf_sections_find(const struct elf_sections *sections, const char *name);

/* Whether its bytes are in the file, as they are. */
bool elf_section_is_plain(const Elf64_Shdr *section);
