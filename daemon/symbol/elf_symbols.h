/* Function names of an ELF file by address. */
#pragma once

#include "symbol/elf_reader.h"
#include "symbol/range_map.h"

#define SYMBOL_TABLES 5

struct elf_symbol {
    uint32_t name; /* offset into names[table] */
    uint32_t table;
};

struct elf_symbols {
    struct range_map map;       /* to positions in symbols */
    struct elf_symbol *symbols; /* owned */
    size_t count, capacity;
    char *names[SYMBOL_TABLES]; /* owned string tables, each ended by a NUL */
    size_t name_bytes[SYMBOL_TABLES];
};

/*
 * Reads .symtab of both files, .dynsym, the PLT and, without a .symtab, the packed symbols of the
 * first; `debug` may be NULL. A table that is broken is left out. 0 or -ENOMEM.
 */
int elf_symbols_read(const struct elf_reader *binary, const struct elf_reader *debug,
                     struct elf_symbols *ret_symbols);

/* The raw name of the best symbol that covers `vaddr`, or NULL. Borrowed. O(log symbols). */
const char *elf_symbols_find(const struct elf_symbols *symbols, uint64_t vaddr);

/* The same where its code begins at `vaddr` or goes on there after another's, else NULL. */
const char *elf_symbols_find_start(const struct elf_symbols *symbols, uint64_t vaddr);

size_t elf_symbols_bytes(const struct elf_symbols *symbols);
void elf_symbols_free(struct elf_symbols *symbols);
