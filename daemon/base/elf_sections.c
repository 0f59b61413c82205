/* Reads ELF and section headers, and their names, with pread alone. */
#include "base/elf_sections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/read_at.h"

#define NAMES_BYTES_MAX (UINT64_C(16) << 20)

int elf_header_read(int fd, Elf64_Ehdr *ret_header)
{
    const unsigned char own_order = __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;
    int error = read_at(fd, ret_header, sizeof *ret_header, 0);
    if (error)
        return error;
    bool ours = !memcmp(ret_header->e_ident, ELFMAG, SELFMAG) &&
                ret_header->e_ident[EI_CLASS] == ELFCLASS64 &&
                ret_header->e_ident[EI_DATA] == own_order;
    return ours ? 0 : -ENOENT;
}

/* A count that does not fit in the header is in section 0. */
uint64_t elf_section_count(int fd, const Elf64_Ehdr *header)
{
    Elf64_Shdr first;
    if (header->e_shnum || header->e_shoff == 0 || header->e_shoff > INT64_MAX ||
        read_at(fd, &first, sizeof first, header->e_shoff))
        return header->e_shnum;
    return first.sh_size;
}

static bool has_sections(const Elf64_Ehdr *header)
{
    return header->e_shentsize == sizeof(Elf64_Shdr) && header->e_shoff &&
           header->e_shoff <= INT64_MAX - ELF_SECTIONS_MAX * sizeof(Elf64_Shdr);
}

bool elf_section_is_plain(const Elf64_Shdr *section)
{
    return section->sh_type != SHT_NOBITS && section->sh_type != SHT_NULL &&
           !(section->sh_flags & SHF_COMPRESSED) && section->sh_size > 0 &&
           section->sh_offset <= INT64_MAX && section->sh_size <= INT64_MAX - section->sh_offset;
}

static int read_names(int fd, uint64_t index, struct elf_sections *sections)
{
    if (index >= sections->count)
        return -ENOENT;
    const Elf64_Shdr *section = &sections->items[index];
    if (!elf_section_is_plain(section) || section->sh_size > NAMES_BYTES_MAX)
        return -ENOENT;
    sections->names = calloc(1, section->sh_size + 1);
    if (!sections->names)
        return -ENOMEM;
    sections->name_bytes = section->sh_size;
    return read_at(fd, sections->names, section->sh_size, section->sh_offset);
}

/* Counts and indices that do not fit in the header are in section 0. */
static int read_all(int fd, struct elf_sections *sections)
{
    Elf64_Ehdr header;
    Elf64_Shdr first;
    int error = elf_header_read(fd, &header);
    if (!error && !has_sections(&header))
        error = -ENOENT;
    if (!error)
        error = read_at(fd, &first, sizeof first, header.e_shoff);
    if (error)
        return error;
    uint64_t count = header.e_shnum ? header.e_shnum : first.sh_size;
    if (count == 0 || count > ELF_SECTIONS_MAX)
        return -ENOENT;
    sections->items = calloc(count, sizeof *sections->items);
    if (!sections->items)
        return -ENOMEM;
    sections->count = count;
    error = read_at(fd, sections->items, count * sizeof *sections->items, header.e_shoff);
    if (error)
        return error;
    return read_names(fd, header.e_shstrndx == SHN_XINDEX ? first.sh_link : header.e_shstrndx,
                      sections);
}

int elf_sections_read(int fd, struct elf_sections *ret_sections)
{
    _cleanup_(elf_sections_free) struct elf_sections sections = {0};
    int error = read_all(fd, &sections);
    if (error)
        return error;
    *ret_sections = sections;
    sections = (struct elf_sections){0};
    return 0;
}

void elf_sections_free(struct elf_sections *sections)
{
    free(sections->items);
    free(sections->names);
    *sections = (struct elf_sections){0};
}

const Elf64_Shdr *elf_sections_find(const struct elf_sections *sections, const char *name)
{
    for (size_t i = 0; i < sections->count; i++) {
        const Elf64_Shdr *section = &sections->items[i];
        if (section->sh_name < sections->name_bytes &&
            !strcmp(sections->names + section->sh_name, name) && elf_section_is_plain(section))
            return section;
    }
    return NULL;
}
