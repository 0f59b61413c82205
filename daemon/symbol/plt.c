/* Reads PLT stubs: slot address from the code, symbol from the slot's relocation. */
#include "symbol/plt.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"

struct slot {
    uint64_t vaddr;
    uint32_t symbol;
};

struct slots {
    struct slot *items; /* owned */
    size_t count, capacity;
};

/* Dynamic symbols: the table and its strings, owned. */
struct dynamic {
    unsigned char *symbols, *names;
    size_t symbol_bytes, name_bytes;
};

static int compare_slots(const void *left_item, const void *right_item)
{
    const struct slot *left = left_item, *right = right_item;
    return left->vaddr < right->vaddr ? -1 : left->vaddr > right->vaddr;
}

static int read_relocations(const struct elf_reader *file, const char *name, struct slots *slots)
{
    _cleanup_free_ unsigned char *bytes = NULL;
    size_t length;
    const struct elf_section *section = elf_reader_section(file, name);
    if (!section)
        return 0;
    int error = elf_reader_read(file, section, &bytes, &length);
    if (error)
        return error;
    for (size_t at = 0; length - at >= sizeof(Elf64_Rela); at += sizeof(Elf64_Rela)) {
        Elf64_Rela relocation;
        memcpy(&relocation, bytes + at, sizeof relocation);
        if (!ELF64_R_SYM(relocation.r_info))
            continue;
        if (array_reserve(&slots->items, &slots->capacity, slots->count + 1, sizeof(struct slot)))
            return -ENOMEM;
        slots->items[slots->count++] =
            (struct slot){relocation.r_offset, (uint32_t)ELF64_R_SYM(relocation.r_info)};
    }
    return 0;
}

/* endbr64?; bnd? jmp *displacement(%rip) */
static bool decode_x86_64(const unsigned char *code, size_t length, uint64_t vaddr,
                          uint64_t *ret_slot)
{
    static const unsigned char endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
    size_t at = length >= 4 && memcmp(code, endbr64, 4) == 0 ? 4 : 0;
    if (at < length && code[at] == 0xf2)
        at++;
    if (length < at + 6 || code[at] != 0xff || code[at + 1] != 0x25)
        return false;
    int32_t displacement;
    memcpy(&displacement, code + at + 2, sizeof displacement);
    *ret_slot = vaddr + at + 6 + (uint64_t)(int64_t)displacement;
    return true;
}

/*
 * (bti c)?; adrp x16, page; ldr x17, [x16, #offset]; ...; br x17: four to six instructions, behind
 * a first stub of another size, and nothing in the section's header tells which.
 */
static bool decode_aarch64(const unsigned char *code, size_t length, uint64_t vaddr,
                           uint64_t *ret_slot, size_t *ret_bytes)
{
    uint32_t words[6] = {0};
    memcpy(words, code, length < sizeof words ? length : sizeof words);
    unsigned at = words[0] == 0xd503245f ? 1 : 0, end = at + 2;
    uint32_t adrp = words[at], load = words[at + 1];
    if ((adrp & 0x9f00001f) != 0x90000010 || (load & 0xffc003ff) != 0xf9400211)
        return false;
    while (end < array_length(words) && words[end] != 0xd61f0220)
        end++;
    if (end == array_length(words))
        return false;
    uint64_t immediate = ((adrp >> 5 & 0x7ffff) << 2) | (adrp >> 29 & 3);
    uint64_t pages = (immediate ^ 0x100000) - 0x100000;
    *ret_slot = ((vaddr + 4 * at) & ~UINT64_C(0xfff)) + (pages << 12) + (load >> 10 & 0xfff) * 8;
    *ret_bytes = (size_t)4 * (end + 1);
    return true;
}

static const char *slot_name(const struct slots *slots, const struct dynamic *dynamic,
                             uint64_t slot_vaddr)
{
    struct slot wanted = {.vaddr = slot_vaddr};
    const struct slot *slot =
        bsearch(&wanted, slots->items, slots->count, sizeof wanted, compare_slots);
    Elf64_Sym symbol;
    if (!slot || slot->symbol >= dynamic->symbol_bytes / sizeof symbol)
        return NULL;
    memcpy(&symbol, dynamic->symbols + slot->symbol * sizeof symbol, sizeof symbol);
    return symbol.st_name && symbol.st_name < dynamic->name_bytes
               ? (const char *)dynamic->names + symbol.st_name
               : NULL;
}

static int add_entry(struct plt *plt, uint64_t start, uint64_t end, const char *name)
{
    if (plt->names.length > UINT32_MAX / 2 ||
        array_reserve(&plt->entries, &plt->capacity, plt->count + 1, sizeof *plt->entries))
        return -ENOMEM;
    plt->entries[plt->count++] = (struct plt_entry){start, end, (uint32_t)plt->names.length};
    text_add_string(&plt->names, name);
    text_add(&plt->names, "@plt", sizeof "@plt");
    return plt->names.failed ? -ENOMEM : 0;
}

static int read_stubs(const struct elf_reader *file, const char *section_name,
                      const struct slots *slots, const struct dynamic *dynamic, struct plt *plt)
{
    _cleanup_free_ unsigned char *code = NULL;
    size_t length;
    const struct elf_section *section = elf_reader_section(file, section_name);
    if (!section)
        return 0;
    int error = elf_reader_read(file, section, &code, &length);
    if (error)
        return error;
    const bool is_aarch64 = file->machine == EM_AARCH64;
    const size_t step = is_aarch64 ? 4
                        : section->entry_bytes == 8 || section->entry_bytes == 24
                            ? (size_t)section->entry_bytes
                            : 16;
    size_t bytes;
    for (size_t at = 0; at < length; at += bytes) {
        uint64_t vaddr = section->vaddr + at, slot;
        bytes = step;
        bool decoded = is_aarch64 ? decode_aarch64(code + at, length - at, vaddr, &slot, &bytes)
                                  : decode_x86_64(code + at, length - at, vaddr, &slot);
        const char *name = decoded ? slot_name(slots, dynamic, slot) : NULL;
        error = name ? add_entry(plt, vaddr, vaddr + bytes, name) : 0;
        if (error)
            return error;
    }
    return 0;
}

static int read_all(const struct elf_reader *file, struct slots *slots, struct dynamic *dynamic,
                    struct plt *plt)
{
    const struct elf_section *symbols = elf_reader_section(file, ".dynsym");
    if (!symbols || symbols->link >= file->section_count ||
        file->sections[symbols->link].type != SHT_STRTAB)
        return 0;
    int error = elf_reader_read(file, symbols, &dynamic->symbols, &dynamic->symbol_bytes);
    if (!error)
        error = elf_reader_read(file, &file->sections[symbols->link], &dynamic->names,
                                &dynamic->name_bytes);
    if (!error)
        error = read_relocations(file, ".rela.plt", slots);
    if (!error)
        error = read_relocations(file, ".rela.dyn", slots);
    if (error || slots->count == 0)
        return error;
    qsort(slots->items, slots->count, sizeof(struct slot), compare_slots);

    static const char *const names[] = {".plt", ".plt.sec", ".plt.got"};
    for (size_t i = 0; i < array_length(names) && !error; i++)
        error = read_stubs(file, names[i], slots, dynamic, plt);
    return error;
}

int plt_read(const struct elf_reader *file, struct plt *ret_plt)
{
    struct slots slots = {0};
    struct dynamic dynamic = {0};
    struct plt plt = {0};
    if (file->machine != EM_X86_64 && file->machine != EM_AARCH64)
        return 0;
    int error = read_all(file, &slots, &dynamic, &plt);
    free(slots.items);
    free(dynamic.symbols);
    free(dynamic.names);
    if (error)
        plt_free(&plt);
    else
        *ret_plt = plt;
    return error;
}

void plt_free(struct plt *plt)
{
    free(plt->entries);
    text_free(&plt->names);
    *plt = (struct plt){0};
}
