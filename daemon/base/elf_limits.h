/* What an ELF file may claim before libelf is let at it. */
#pragma once

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Far more than the names of sections, or notes, of any program. */
#define ELF_SMALL_BYTES_MAX (UINT64_C(16) << 20)

/*
 * libelf makes room for whatever size a header claims within the file, and a sparse file claims
 * terabytes for nothing. False when section names or notes, which everybody reads, are not small.
 */
static inline bool elf_is_plausible(Elf *elf)
{
    size_t names, count;
    GElf_Shdr section;
    GElf_Phdr segment;
    if (elf_getshdrstrndx(elf, &names) < 0 || elf_getphdrnum(elf, &count) < 0)
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
