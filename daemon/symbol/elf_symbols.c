/* ELF symbol tables as a range map: which function's code is at an address. */
#include "symbol/elf_symbols.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "symbol/mini_debug.h"
#include "symbol/plt.h"

/* Collects ranges while tables are read; a range's value is a position in symbols->symbols. */
struct collection {
    struct elf_symbols *symbols;
    struct range *ranges; /* owned */
    size_t count, capacity;
};

/* The lowest bit of a rank: the symbol has a size. */
#define RANK_SIZED 1
#define RANK_BREVITY_MAX 255
/* Above local labels that begin with an underscore, below all others. */
#define RANK_OF_PLT (UINT32_C(1) << 9 | RANK_BREVITY_MAX << 1 | RANK_SIZED)

/*
 * Which of several names for one address people mean: the more, the better. Of equal ones it is the
 * shortest: free() is cfree@GLIBC_2.2.5 as well.
 */
static uint32_t rank(const Elf64_Sym *symbol, const char *name)
{
    static const unsigned char by_binding[16] = {
        [STB_LOCAL] = 0, [STB_WEAK] = 1, [STB_GLOBAL] = 2, [STB_GNU_UNIQUE] = 2};
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    uint32_t function = type == STT_FUNC || type == STT_GNU_IFUNC;
    uint32_t is_sized = symbol->st_size != 0;
    uint32_t brevity = RANK_BREVITY_MAX - (uint32_t)strnlen(name, RANK_BREVITY_MAX);
    return function << 13 | (uint32_t)by_binding[ELF64_ST_BIND(symbol->st_info)] << 11 |
           (uint32_t)(name[0] != '_') << 10 | is_sized << 9 | brevity << 1 | is_sized;
}

/* Names of data, sections and the assembler's mapping marks ($x, $d) are not functions'. */
static bool is_code(const Elf64_Sym *symbol, const struct elf_section *section, const char *name)
{
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    return (section->flags & SHF_EXECINSTR) && name[0] && name[0] != '$' &&
           (type == STT_FUNC || type == STT_NOTYPE || type == STT_GNU_IFUNC) &&
           symbol->st_value >= section->vaddr && symbol->st_value - section->vaddr < section->bytes;
}

/* The one that a symbol is in; without section headers its index says nothing. NULL: none. */
static const struct elf_section *symbol_section(const struct elf_reader *file,
                                                const Elf64_Sym *symbol)
{
    if (symbol->st_shndx == SHN_UNDEF)
        return NULL;
    if (!file->lacks_section_headers)
        return symbol->st_shndx < file->section_count ? &file->sections[symbol->st_shndx] : NULL;
    for (size_t i = 0; i < file->section_count; i++) {
        const struct elf_section *section = &file->sections[i];
        if ((section->flags & SHF_EXECINSTR) && symbol->st_value >= section->vaddr &&
            symbol->st_value - section->vaddr < section->bytes)
            return section;
    }
    return NULL;
}

/* Symbols without a size end at `end` = start here, until trim_labels() knows their neighbours. */
static int add_symbol(struct collection *collection, const struct elf_reader *file, unsigned table,
                      const Elf64_Sym *symbol)
{
    struct elf_symbols *symbols = collection->symbols;
    const struct elf_section *section = symbol_section(file, symbol);
    if (!section || symbol->st_name >= symbols->name_bytes[table])
        return 0;
    const char *name = symbols->names[table] + symbol->st_name;
    if (!is_code(symbol, section, name))
        return 0;
    if (symbols->count >= RANGE_NONE ||
        array_reserve(&symbols->symbols, &symbols->capacity, symbols->count + 1,
                      sizeof *symbols->symbols) ||
        array_reserve(&collection->ranges, &collection->capacity, collection->count + 1,
                      sizeof *collection->ranges))
        return -ENOMEM;
    uint64_t room = section->bytes - (symbol->st_value - section->vaddr);
    uint64_t size = symbol->st_size < room ? symbol->st_size : room;
    symbols->symbols[symbols->count] = (struct elf_symbol){symbol->st_name, table};
    collection->ranges[collection->count++] = (struct range){
        .start = symbol->st_value,
        .end = symbol->st_value + size,
        .value = (uint32_t)symbols->count++,
        .order = rank(symbol, name),
    };
    return 0;
}

static int add_table(struct collection *collection, const struct elf_reader *file,
                     const char *section_name, unsigned table)
{
    struct elf_symbols *symbols = collection->symbols;
    _cleanup_free_ unsigned char *bytes = NULL, *names = NULL;
    size_t length, name_bytes;
    const struct elf_section *section = elf_reader_section(file, section_name);
    if (!section || section->link >= file->section_count ||
        file->sections[section->link].type != SHT_STRTAB)
        return 0;
    int error = elf_reader_read(file, section, &bytes, &length);
    if (!error)
        error = elf_reader_read(file, &file->sections[section->link], &names, &name_bytes);
    if (error)
        return error == -ENOMEM ? error : 0;
    symbols->names[table] = (char *)take_pointer(names);
    symbols->name_bytes[table] = name_bytes;
    for (size_t at = 0; length - at >= sizeof(Elf64_Sym); at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        memcpy(&symbol, bytes + at, sizeof symbol);
        error = add_symbol(collection, file, table, &symbol);
        if (error)
            return error;
    }
    return 0;
}

/* Linked files have tens of sections; one that claims more is not searched for each label. */
#define SECTIONS_SEARCHED_MAX 1024

static uint64_t section_end(const struct elf_reader *file, uint64_t vaddr)
{
    for (size_t i = 0; i < file->section_count && i < SECTIONS_SEARCHED_MAX; i++) {
        const struct elf_section *section = &file->sections[i];
        if ((section->flags & SHF_ALLOC) && vaddr >= section->vaddr &&
            vaddr - section->vaddr < section->bytes)
            return section->vaddr + section->bytes;
    }
    return vaddr;
}

/*
 * A label without a size, as assembler writes them, reaches to the next symbol; inside a function
 * that has a size it means nothing.
 */
static void trim_labels(struct collection *collection, const struct elf_reader *file)
{
    struct range *ranges = collection->ranges;
    ranges_sort(ranges, collection->count);
    uint64_t covered = 0, next = UINT64_MAX;
    for (size_t i = collection->count; i-- > 0;) {
        if (i + 1 < collection->count && ranges[i + 1].start > ranges[i].start)
            next = ranges[i + 1].start;
        if (ranges[i].end == ranges[i].start) {
            uint64_t end = section_end(file, ranges[i].start);
            ranges[i].end = next < end ? next : end;
            ranges[i].order &= ~(uint32_t)RANK_SIZED;
        }
    }
    for (size_t i = 0; i < collection->count; i++) {
        bool label = !(ranges[i].order & RANK_SIZED);
        if (label && ranges[i].start < covered)
            ranges[i].end = ranges[i].start;
        else if (!label && ranges[i].end > covered)
            covered = ranges[i].end;
    }
}

static int add_plt(struct collection *collection, const struct elf_reader *binary, unsigned table)
{
    struct elf_symbols *symbols = collection->symbols;
    _cleanup_(plt_free) struct plt plt = {0};
    int error = plt_read(binary, &plt);
    if (error || plt.count == 0)
        return error == -ENOMEM ? error : 0;
    if (array_reserve(&symbols->symbols, &symbols->capacity, symbols->count + plt.count,
                      sizeof *symbols->symbols) ||
        array_reserve(&collection->ranges, &collection->capacity, collection->count + plt.count,
                      sizeof *collection->ranges))
        return -ENOMEM;
    for (size_t i = 0; i < plt.count; i++) {
        symbols->symbols[symbols->count] = (struct elf_symbol){plt.entries[i].name, table};
        collection->ranges[collection->count++] = (struct range){
            .start = plt.entries[i].start,
            .end = plt.entries[i].end,
            .value = (uint32_t)symbols->count++,
            .order = RANK_OF_PLT,
        };
    }
    symbols->name_bytes[table] = plt.names.length;
    symbols->names[table] = take_pointer(plt.names.bytes);
    return 0;
}

/* Only where there is nothing better: what is packed is a part of .symtab. */
static int add_mini_debug(struct collection *collection, const struct elf_reader *binary,
                          unsigned table)
{
    struct elf_reader *mini = NULL;
    int error = mini_debug_open(binary, &mini);
    if (!error)
        error = add_table(collection, mini, ".symtab", table);
    elf_reader_free(mini);
    return error == -ENOMEM ? error : 0;
}

int elf_symbols_read(const struct elf_reader *binary, const struct elf_reader *debug,
                     struct elf_symbols *ret_symbols)
{
    struct elf_symbols symbols = {0};
    struct collection collection = {.symbols = &symbols};
    int error = add_table(&collection, binary, ".symtab", 0);
    if (!error && debug)
        error = add_table(&collection, debug, ".symtab", 1);
    if (!error)
        error = add_table(&collection, binary, ".dynsym", 2);
    if (!error)
        error = add_plt(&collection, binary, 3);
    if (!error && !symbols.names[0] && !symbols.names[1])
        error = add_mini_debug(&collection, binary, 4);
    if (!error) {
        trim_labels(&collection, binary);
        ranges_order_by_start(collection.ranges, collection.count);
        error = range_map_build(collection.ranges, collection.count, &symbols.map);
    }
    free(collection.ranges);
    if (error)
        elf_symbols_free(&symbols);
    else
        *ret_symbols = symbols;
    return error;
}

const char *elf_symbols_find(const struct elf_symbols *symbols, uint64_t vaddr)
{
    uint32_t found = range_map_find(&symbols->map, vaddr);
    if (found == RANGE_NONE)
        return NULL;
    const struct elf_symbol *symbol = &symbols->symbols[found];
    return symbols->names[symbol->table] + symbol->name;
}

const char *elf_symbols_find_start(const struct elf_symbols *symbols, uint64_t vaddr)
{
    return range_map_start(&symbols->map, vaddr) == vaddr ? elf_symbols_find(symbols, vaddr) : NULL;
}

size_t elf_symbols_bytes(const struct elf_symbols *symbols)
{
    size_t bytes = range_map_bytes(&symbols->map) + symbols->capacity * sizeof *symbols->symbols;
    for (size_t i = 0; i < SYMBOL_TABLES; i++)
        bytes += symbols->name_bytes[i];
    return bytes;
}

void elf_symbols_free(struct elf_symbols *symbols)
{
    range_map_free(&symbols->map);
    free(symbols->symbols);
    for (size_t i = 0; i < SYMBOL_TABLES; i++)
        free(symbols->names[i]);
    *symbols = (struct elf_symbols){0};
}
