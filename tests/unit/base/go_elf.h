/* Writes small ELF files of Go programs: the table, what it refers to, and where linkers put them.
 */
#pragma once

#include <elf.h>

#include "go_table.h"

#define GO_ELF_BYTES 8192
#define GO_TABLE_VADDR UINT64_C(0x500000)
#define GO_TREES_VADDR UINT64_C(0x600000)
#define GO_DATA_VADDR UINT64_C(0x700000)

enum go_placement {
    GO_PLAIN,    /* sections of their own */
    GO_RELOCATED /* position-independent: among other data, and addresses in relocations */
};

struct go_elf {
    unsigned char bytes[GO_ELF_BYTES];
    size_t length;
    Elf64_Shdr sections[8];
    char names[128];
    size_t section_count, name_bytes;
};

static inline void go_elf_add(struct go_elf *elf, const char *name, uint32_t type, uint64_t flags,
                              uint64_t vaddr, const void *bytes, size_t length)
{
    elf->length = (elf->length + 15) / 16 * 16;
    elf->sections[elf->section_count++] = (Elf64_Shdr){
        .sh_name = (uint32_t)elf->name_bytes,
        .sh_type = type,
        .sh_flags = flags,
        .sh_addr = vaddr,
        .sh_offset = elf->length,
        .sh_size = length,
    };
    memcpy(elf->names + elf->name_bytes, name, strlen(name) + 1);
    elf->name_bytes += strlen(name) + 1;
    memcpy(elf->bytes + elf->length, bytes, length);
    elf->length += length;
}

/* struct moduledata, as far as anybody looks at it. */
static inline void go_words(const struct go_bytes *table, enum go_version version,
                            uint64_t words[48])
{
    uint64_t names;
    memcpy(&names, table->bytes + 32, sizeof names);
    words[0] = GO_TABLE_VADDR;
    words[1] = GO_TABLE_VADDR + names;
    words[22] = GO_TEXT;
    words[version >= GO_1_20 ? 40 : 38] = GO_TREES_VADDR;
}

static inline void go_elf_add_words(struct go_elf *elf, const struct go_bytes *table,
                                    enum go_version version, enum go_placement placement)
{
    uint64_t words[48] = {0};
    Elf64_Rela relocations[4];
    size_t count = 0;
    go_words(table, version, words);
    if (placement == GO_PLAIN) {
        go_elf_add(elf, ".noptrdata", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, GO_DATA_VADDR, words,
                   sizeof words);
        return;
    }
    for (size_t i = 0; i < 48; i++)
        if (words[i])
            relocations[count++] = (Elf64_Rela){.r_offset = GO_DATA_VADDR + 8 * i,
                                                .r_info = ELF64_R_INFO(0, R_X86_64_RELATIVE),
                                                .r_addend = (int64_t)words[i]};
    memset(words, 0, sizeof words);
    go_elf_add(elf, ".noptrdata", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, GO_DATA_VADDR, words,
               sizeof words);
    go_elf_add(elf, ".rela.dyn", SHT_RELA, SHF_ALLOC, 0x1000, relocations,
               count * sizeof *relocations);
}

/* Headers, once all else is there. */
static inline void go_elf_finish(struct go_elf *elf, uint64_t text_offset)
{
    go_elf_add(elf, ".shstrtab", SHT_STRTAB, 0, 0, elf->names, elf->name_bytes + 10);
    elf->length = (elf->length + 7) / 8 * 8;
    Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_entry = GO_TEXT,
        .e_phoff = sizeof header,
        .e_shoff = elf->length,
        .e_ehsize = sizeof header,
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 1,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = (uint16_t)elf->section_count,
        .e_shstrndx = (uint16_t)(elf->section_count - 1),
    };
    const Elf64_Phdr segment = {.p_type = PT_LOAD,
                                .p_flags = PF_R | PF_X,
                                .p_offset = text_offset,
                                .p_vaddr = GO_TEXT,
                                .p_filesz = GO_END - GO_TEXT,
                                .p_memsz = GO_END - GO_TEXT};
    memcpy(elf->bytes + elf->length, elf->sections, elf->section_count * sizeof *elf->sections);
    elf->length += elf->section_count * sizeof *elf->sections;
    memcpy(elf->bytes, &header, sizeof header);
    memcpy(elf->bytes + sizeof header, &segment, sizeof segment);
}

/* has_text: the table says itself where the code starts. */
static inline void go_elf_build_flagged(struct go_elf *elf, enum go_version version,
                                        enum go_placement placement, bool has_text,
                                        unsigned outer_flags)
{
    struct go_bytes table, entry, trees = {.length = 0x600};
    const unsigned char text[GO_END - GO_TEXT] = {0};
    memset(elf, 0, sizeof *elf);
    go_build_flagged(&table, version, outer_flags);
    if (!has_text)
        go_set(&table, 24, 0, 8);
    go_build_entry(&entry, version, 1 + sizeof "main.outer");
    memcpy(trees.bytes + GO_TREE, entry.bytes, entry.length);
    elf->length = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
    go_elf_add(elf, "", SHT_NULL, 0, 0, "", 0);
    go_elf_add(elf, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, GO_TEXT, text, sizeof text);
    uint64_t text_offset = elf->sections[1].sh_offset;
    go_elf_add(elf, ".rodata", SHT_PROGBITS, SHF_ALLOC, version == GO_1_16 ? 0 : GO_TREES_VADDR,
               trees.bytes, trees.length);
    if (placement == GO_PLAIN) {
        go_elf_add(elf, ".gopclntab", SHT_PROGBITS, SHF_ALLOC, GO_TABLE_VADDR, table.bytes,
                   table.length);
    } else {
        go_elf_add(elf, ".note.go.buildid", SHT_PROGBITS, SHF_ALLOC, 0x900, "buildid", 8);
        unsigned char data[64 + GO_TABLE_BYTES] = {0};
        memcpy(data + 64, table.bytes, table.length);
        go_elf_add(elf, ".data.rel.ro", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, GO_TABLE_VADDR - 64,
                   data, 64 + table.length);
    }
    go_elf_add_words(elf, &table, version, placement);
    go_elf_finish(elf, text_offset);
}

static inline void go_elf_build(struct go_elf *elf, enum go_version version,
                                enum go_placement placement, bool has_text)
{
    go_elf_build_flagged(elf, version, placement, has_text, 0);
}
