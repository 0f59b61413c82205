/* What an ELF file may claim before libelf is let at it. */
#pragma once

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/elf_sections.h"

/* Only object files and core dumps have more than the header can count. */
#define ELF_SEGMENTS_MAX UINT16_MAX

/* Far more than the names of sections, or notes, of any program. */
#define ELF_SMALL_BYTES_MAX (UINT64_C(16) << 20)

/* False when it has too many of something, or when names or notes, which all read, are large. */
static inline bool elf_is_plausible(Elf *elf)
{
    size_t names, sections, count;
    GElf_Shdr section;
    GElf_Phdr segment;
    if (elf_getshdrnum(elf, &sections) < 0 || sections > ELF_SECTIONS_MAX ||
        elf_getshdrstrndx(elf, &names) < 0 || elf_getphdrnum(elf, &count) < 0 ||
        count > ELF_SEGMENTS_MAX)
        return false;
    if (names &&
        (!gelf_getshdr(elf_getscn(elf, names), &section) || section.sh_size > ELF_SMALL_BYTES_MAX))
        return false;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));)
        if (gelf_getshdr(scn, &section) && section.sh_type == SHT_NOTE &&
            section.sh_size > ELF_SMALL_BYTES_MAX)
            return false;
    for (size_t i = 0; i < count; i++)
        if (gelf_getphdr(elf, (int)i, &segment) && segment.p_type == PT_NOTE &&
            segment.p_filesz > ELF_SMALL_BYTES_MAX)
            return false;
    return true;
}

/*
 * Opens a 64-bit ELF file of our own byte order for reading; NULL when it is none, or claims more
 * than any program has. libelf makes room for whatever a header claims within the file, for
 * sections as soon as it opens it, and a sparse file claims terabytes for nothing. The caller ends
 * it with elf_end(); `fd` is borrowed.
 */
static inline Elf *elf_open(int fd)
{
    Elf64_Ehdr header;
    if (elf_header_read(fd, &header) || elf_section_count(fd, &header) > ELF_SECTIONS_MAX)
        return NULL;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    if (elf && elf_kind(elf) == ELF_K_ELF && elf_is_plausible(elf))
        return elf;
    elf_end(elf);
    return NULL;
}
