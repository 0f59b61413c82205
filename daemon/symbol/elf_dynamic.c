/*
 * Finds dynamic symbols as the dynamic linker does (gABI "Dynamic Section"), and call frame
 * information as a program's own run time does (Linux Standard Base Core, PT_GNU_EH_FRAME).
 */
#include "symbol/elf_dynamic.h"

#include <dwarf.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/dwarf_reader.h"
#include "base/read_at.h"

#define SEGMENTS_MAX 256
/* The dynamic section of the largest programs has a hundred entries. */
#define ENTRIES_MAX 4096
#define HASH_WORDS_MAX (1u << 24)

struct segments {
    GElf_Phdr items[SEGMENTS_MAX];
    size_t count;
    uint64_t file_bytes;
};

/* What the dynamic section says; 0: nothing. */
struct dynamic {
    uint64_t symbols, strings, string_bytes, hash, gnu_hash;
};

static void read_segments(Elf *elf, uint64_t file_bytes, struct segments *segments)
{
    size_t count = 0;
    segments->count = 0;
    segments->file_bytes = file_bytes;
    if (elf_getphdrnum(elf, &count))
        return;
    for (size_t i = 0; i < count && segments->count < SEGMENTS_MAX; i++) {
        GElf_Phdr *segment = &segments->items[segments->count];
        if (gelf_getphdr(elf, (int)i, segment) && segment->p_offset <= file_bytes &&
            segment->p_filesz <= file_bytes - segment->p_offset)
            segments->count++;
    }
}

/* Where in the file the byte at `vaddr` is, and how many follow it. False when it is nowhere. */
static bool find_bytes(const struct segments *segments, uint64_t vaddr, uint64_t *ret_offset,
                       uint64_t *ret_bytes)
{
    for (size_t i = 0; i < segments->count; i++) {
        const GElf_Phdr *segment = &segments->items[i];
        if (segment->p_type != PT_LOAD || vaddr < segment->p_vaddr ||
            vaddr - segment->p_vaddr >= segment->p_filesz)
            continue;
        *ret_offset = segment->p_offset + (vaddr - segment->p_vaddr);
        *ret_bytes = segment->p_filesz - (vaddr - segment->p_vaddr);
        return true;
    }
    return false;
}

static void read_dynamic(int fd, const struct segments *segments, struct dynamic *dynamic)
{
    const GElf_Phdr *segment = NULL;
    for (size_t i = 0; i < segments->count && !segment; i++)
        if (segments->items[i].p_type == PT_DYNAMIC)
            segment = &segments->items[i];
    uint64_t count = segment ? segment->p_filesz / sizeof(Elf64_Dyn) : 0;
    for (uint64_t i = 0; i < count && i < ENTRIES_MAX; i++) {
        Elf64_Dyn entry;
        if (read_at(fd, &entry, sizeof entry, segment->p_offset + i * sizeof entry) ||
            entry.d_tag == DT_NULL)
            return;
        switch (entry.d_tag) {
        case DT_SYMTAB:
            dynamic->symbols = entry.d_un.d_ptr;
            break;
        case DT_STRTAB:
            dynamic->strings = entry.d_un.d_ptr;
            break;
        case DT_STRSZ:
            dynamic->string_bytes = entry.d_un.d_val;
            break;
        case DT_HASH:
            dynamic->hash = entry.d_un.d_ptr;
            break;
        case DT_GNU_HASH:
            dynamic->gnu_hash = entry.d_un.d_ptr;
            break;
        default:
            break;
        }
    }
}

/* DT_HASH has a chain entry for each symbol. */
static uint64_t count_by_hash(int fd, const struct segments *segments, uint64_t vaddr)
{
    uint32_t counts[2]; /* buckets, chain entries */
    uint64_t offset, bytes;
    if (!vaddr || !find_bytes(segments, vaddr, &offset, &bytes) || bytes < sizeof counts ||
        read_at(fd, counts, sizeof counts, offset))
        return 0;
    return counts[1];
}

struct gnu_hash {
    uint32_t buckets, first_symbol, bloom_words, bloom_shift;
};

/* The chain of the last bucket ends at the last symbol, whose entry is odd. */
static uint64_t last_of_chain(int fd, uint64_t chains, uint64_t bytes, uint64_t index)
{
    uint32_t hash = 0;
    for (uint64_t i = index; i < HASH_WORDS_MAX && i * sizeof hash + sizeof hash <= bytes; i++)
        if (read_at(fd, &hash, sizeof hash, chains + i * sizeof hash) || (hash & 1))
            return hash & 1 ? i + 1 : 0;
    return 0;
}

static uint64_t count_by_gnu_hash(int fd, const struct segments *segments, uint64_t vaddr)
{
    struct gnu_hash table;
    uint64_t offset, bytes;
    if (!vaddr || !find_bytes(segments, vaddr, &offset, &bytes) || bytes < sizeof table ||
        read_at(fd, &table, sizeof table, offset))
        return 0;
    uint64_t buckets = sizeof table + UINT64_C(8) * table.bloom_words;
    uint64_t chains = buckets + UINT64_C(4) * table.buckets;
    if (table.buckets == 0 || table.buckets > HASH_WORDS_MAX || chains > bytes)
        return 0;
    uint32_t *firsts = malloc(sizeof *firsts * table.buckets);
    if (!firsts)
        return 0;
    uint32_t last = 0;
    if (read_at(fd, firsts, sizeof *firsts * table.buckets, offset + buckets) == 0)
        for (uint32_t i = 0; i < table.buckets; i++)
            last = firsts[i] > last ? firsts[i] : last;
    free(firsts);
    if (last < table.first_symbol)
        return table.first_symbol;
    uint64_t in_chains =
        last_of_chain(fd, offset + chains, bytes - chains, last - table.first_symbol);
    return in_chains ? table.first_symbol + in_chains : 0;
}

static int add_section(struct elf_reader *file, const char *name, const struct elf_section *like)
{
    struct elf_section *section = &file->sections[file->section_count];
    *section = *like;
    section->name = strdup(name);
    if (!section->name)
        return -ENOMEM;
    file->section_count++;
    return 0;
}

static int add_code(struct elf_reader *file, const struct segments *segments)
{
    for (size_t i = 0; i < segments->count; i++) {
        const GElf_Phdr *segment = &segments->items[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
            continue;
        int error = add_section(file, "",
                                &(struct elf_section){
                                    .type = SHT_PROGBITS,
                                    .flags = SHF_ALLOC | SHF_EXECINSTR,
                                    .vaddr = segment->p_vaddr,
                                    .offset = segment->p_offset,
                                    .bytes = segment->p_filesz,
                                });
        if (error)
            return error;
    }
    return 0;
}

static int add_tables(struct elf_reader *file, const struct segments *segments)
{
    struct dynamic dynamic = {0};
    uint64_t symbols, symbol_bytes, strings, string_bytes;
    read_dynamic(file->fd, segments, &dynamic);
    uint64_t count = count_by_hash(file->fd, segments, dynamic.hash);
    if (count == 0)
        count = count_by_gnu_hash(file->fd, segments, dynamic.gnu_hash);
    if (count == 0 || !find_bytes(segments, dynamic.symbols, &symbols, &symbol_bytes) ||
        !find_bytes(segments, dynamic.strings, &strings, &string_bytes) ||
        count > symbol_bytes / sizeof(Elf64_Sym) || dynamic.string_bytes > string_bytes)
        return 0;
    struct elf_section names = {.type = SHT_STRTAB, .vaddr = dynamic.strings, .offset = strings};
    names.bytes = dynamic.string_bytes;
    int error = add_section(file, ".dynstr", &names);
    if (error)
        return error;
    struct elf_section table = {.type = SHT_DYNSYM, .vaddr = dynamic.symbols, .offset = symbols};
    table.bytes = count * sizeof(Elf64_Sym);
    table.entry_bytes = sizeof(Elf64_Sym);
    table.link = (uint32_t)file->section_count - 1;
    return add_section(file, ".dynsym", &table);
}

/* What is not encoded as all linkers do (.eh_frame relative to its field) is left to others. */
static bool find_frames(int fd, const struct segments *segments, const GElf_Phdr *index,
                        struct elf_section *ret_frames)
{
    unsigned char bytes[8]; /* version, encodings, where .eh_frame is */
    if (index->p_filesz < sizeof bytes || read_at(fd, bytes, sizeof bytes, index->p_offset) ||
        bytes[0] != 1 || bytes[1] != (DW_EH_PE_pcrel | DW_EH_PE_sdata4))
        return false;
    struct reader reader = {.bytes = bytes, .length = sizeof bytes, .offset = 4};
    int32_t distance = (int32_t)reader_u32(&reader);
    *ret_frames = (struct elf_section){
        .type = SHT_PROGBITS,
        .flags = SHF_ALLOC,
        .vaddr = index->p_vaddr + 4 + (uint64_t)(int64_t)distance,
    };
    /* Where it ends is not told; entries are found by the index. */
    return find_bytes(segments, ret_frames->vaddr, &ret_frames->offset, &ret_frames->bytes);
}

static int add_frames(struct elf_reader *file, const struct segments *segments)
{
    const GElf_Phdr *index = NULL;
    struct elf_section frames;
    for (size_t i = 0; i < segments->count && !index; i++)
        if (segments->items[i].p_type == PT_GNU_EH_FRAME)
            index = &segments->items[i];
    if (!index || !find_frames(file->fd, segments, index, &frames))
        return 0;
    int error = add_section(file, ".eh_frame_hdr",
                            &(struct elf_section){
                                .type = SHT_PROGBITS,
                                .flags = SHF_ALLOC,
                                .vaddr = index->p_vaddr,
                                .offset = index->p_offset,
                                .bytes = index->p_filesz,
                            });
    return error ? error : add_section(file, ".eh_frame", &frames);
}

int elf_dynamic_read(Elf *elf, uint64_t file_bytes, struct elf_reader *file)
{
    struct segments *segments = malloc(sizeof *segments);
    if (!segments)
        return -ENOMEM;
    read_segments(elf, file_bytes, segments);
    free(file->sections);
    file->section_count = 0;
    file->sections = calloc(segments->count + 5, sizeof *file->sections);
    file->lacks_section_headers = true;
    int error = file->sections ? 0 : -ENOMEM;
    if (!error)
        error = add_section(file, "", &(struct elf_section){.type = SHT_NULL});
    if (!error)
        error = add_code(file, segments);
    if (!error)
        error = add_tables(file, segments);
    if (!error)
        error = add_frames(file, segments);
    free(segments);
    return error;
}
