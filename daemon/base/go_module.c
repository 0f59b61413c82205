/* Finds Go's table of functions in an ELF file, and the inline trees that it refers to. */
#include "base/go_module.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/elf_sections.h"
#include "base/go_moduledata.h"
#include "base/read_at.h"

/* Five times what the largest known programs have. */
#define TABLE_BYTES_MAX (UINT64_C(512) << 20)
/* Where nothing says where the table is: what is looked through, and how often one is believed. */
#define SEARCH_BYTES_MAX (UINT64_C(512) << 20)
#define TABLES_TRIED 4
/* How many trees are looked at before all are believed, and functions to find them. */
#define TREES_TRIED 64
#define FUNCTIONS_TRIED (1u << 18)

static int read_bytes(const Elf64_Shdr *section, uint64_t from, struct go_module *module)
{
    uint64_t length = section->sh_size - from;
    if (length > TABLE_BYTES_MAX)
        return -EFBIG;
    /* A sparse file says that it has bytes: ask for the last one before making room for all. */
    char last;
    int error = read_at(module->fd, &last, 1, section->sh_offset + section->sh_size - 1);
    if (error)
        return error;
    module->bytes = malloc(length);
    if (!module->bytes)
        return -ENOMEM;
    module->length = (size_t)length;
    module->vaddr = section->sh_addr + from;
    return read_at(module->fd, module->bytes, length, section->sh_offset + from);
}

/* The linker's record. Words that nothing says are 0. */
static void find_moduledata(const struct go_module *module, const struct elf_sections *sections,
                            uint64_t ret_words[GO_MODULEDATA_WORDS])
{
    const uint64_t first[2] = {module->vaddr, module->vaddr + module->table.names};
    memset(ret_words, 0, GO_MODULEDATA_WORDS * sizeof *ret_words);
    (void)go_moduledata_find(module->fd, sections, first, ret_words);
}

static int open_table(const struct elf_sections *sections, struct go_module *module)
{
    int error = go_pclntab_open(module->bytes, module->length, &module->table);
    if (error || module->table.version < GO_1_18 || module->table.text)
        return error;
    uint64_t words[GO_MODULEDATA_WORDS];
    find_moduledata(module, sections, words);
    module->table.text = words[GO_MODULEDATA_TEXT];
    return module->table.text ? 0 : -ENOENT;
}

static int open_at(const struct elf_sections *sections, const Elf64_Shdr *section, uint64_t from,
                   struct go_module *module)
{
    int error = read_bytes(section, from, module);
    if (!error)
        error = open_table(sections, module);
    if (error)
        go_module_close(module);
    return error;
}

/* Headers begin alike, whatever the version. */
static bool may_be_header(const unsigned char *bytes)
{
    static const unsigned char rest[] = {0xff, 0xff, 0xff, 0, 0};
    return bytes[0] >= 0xf0 && memcmp(bytes + 1, rest, sizeof rest) == 0 &&
           (bytes[6] == 1 || bytes[6] == 4) && bytes[7] == 8;
}

/* Linkers other than Go's put the table of a position-independent program among other data. */
static int search(const struct elf_sections *sections, const Elf64_Shdr *section,
                  struct go_module *module)
{
    unsigned char bytes[4096];
    uint64_t end = section->sh_size < SEARCH_BYTES_MAX ? section->sh_size : SEARCH_BYTES_MAX;
    unsigned tables = 0;
    for (uint64_t from = 0; from < end; from += sizeof bytes) {
        uint64_t left = end - from;
        size_t length = left < sizeof bytes ? (size_t)left : sizeof bytes;
        int error = read_at(module->fd, bytes, length, section->sh_offset + from);
        if (error)
            return error;
        for (size_t i = 0; i + 8 <= length; i += 8) {
            if (!may_be_header(bytes + i))
                continue;
            if (open_at(sections, section, from + i, module) == 0)
                return 0;
            if (++tables == TABLES_TRIED)
                return -ENOENT;
        }
    }
    return -ENOENT;
}

static int open_any(const struct elf_sections *sections, struct go_module *module)
{
    static const char *const names[] = {".gopclntab", ".data.rel.ro.gopclntab"};
    for (size_t i = 0; i < array_length(names); i++) {
        const Elf64_Shdr *section = elf_sections_find(sections, names[i]);
        if (section)
            return open_at(sections, section, 0, module);
    }
    const Elf64_Shdr *section = elf_sections_find(sections, ".data.rel.ro");
    /* Only Go's linker leaves this. */
    if (!section || !elf_sections_find(sections, ".note.go.buildid"))
        return -ENOENT;
    return search(sections, section, module);
}

int go_module_open(int fd, struct go_module *ret_module)
{
    _cleanup_(elf_sections_free) struct elf_sections sections = {0};
    struct go_module module = {.fd = fd};
    int error = elf_sections_read(fd, &sections);
    if (!error)
        error = open_any(&sections, &module);
    if (!error)
        *ret_module = module;
    return error;
}

void go_module_close(struct go_module *module)
{
    free(module->bytes);
    *module = (struct go_module){.fd = module->fd};
}

static bool read_entry(const struct go_module *module, struct go_function *function,
                       uint64_t position, struct go_inlined *ret_inlined)
{
    unsigned char entry[GO_INLINED_BYTES_MAX];
    size_t bytes = go_inlined_bytes(&module->table);
    uint64_t place, offset;
    if (!go_function_tree(&module->table, function, &place) ||
        __builtin_add_overflow(place + module->tree_base - module->tree_vaddr, position * bytes,
                               &offset) ||
        offset > module->tree_bytes || module->tree_bytes - offset < bytes ||
        read_at(module->fd, entry, bytes, module->tree_offset + offset))
        return false;
    return go_inlined_read(&module->table, function, entry, ret_inlined);
}

bool go_module_inlined(const struct go_module *module, struct go_function *function, uint64_t vaddr,
                       struct go_inlined *ret_inlined)
{
    if (!module->tree_bytes)
        return false;
    int32_t position = go_function_inlined(&module->table, function, vaddr);
    return position >= 0 && read_entry(module, function, (uint32_t)position, ret_inlined);
}

/*
 * Whether what trees are said to begin with is something that a tree can begin with. Each function
 * that is looked at counts down `left`.
 */
static bool are_trees(const struct go_module *module, unsigned *left)
{
    unsigned trees = 0;
    for (uint32_t i = 0; i < module->table.function_count && trees < TREES_TRIED && *left;
         i++, (*left)--) {
        struct go_function function;
        struct go_inlined inlined;
        uint64_t place;
        if (go_pclntab_get(&module->table, i, &function) ||
            !go_function_tree(&module->table, &function, &place))
            continue;
        if (!read_entry(module, &function, 0, &inlined))
            return false;
        trees++;
    }
    return trees > 0;
}

static bool first_tree(const struct go_module *module, unsigned *left, uint64_t *ret_place)
{
    struct go_function function;
    for (uint32_t i = 0; i < module->table.function_count && *left; i++, (*left)--) {
        if (go_pclntab_get(&module->table, i, &function))
            return false; /* no linker wrote that */
        if (go_function_tree(&module->table, &function, ret_place))
            return true;
    }
    return false;
}

static bool try_base(const struct elf_sections *sections, uint64_t base, uint64_t first,
                     unsigned *left, struct go_module *module)
{
    for (size_t i = 0; i < sections->count; i++) {
        const Elf64_Shdr *section = &sections->items[i];
        if (!(section->sh_flags & SHF_ALLOC) || !elf_section_is_plain(section) ||
            base + first - section->sh_addr >= section->sh_size)
            continue;
        module->tree_base = base;
        module->tree_vaddr = section->sh_addr;
        module->tree_offset = section->sh_offset;
        module->tree_bytes = section->sh_size;
        if (are_trees(module, left))
            return true;
    }
    module->tree_bytes = 0;
    return false;
}

void go_module_find_trees(struct go_module *module)
{
    /* Where trees are counted from: Go 1.18; Go 1.20; Go 1.27. */
    static const unsigned bases[] = {38, 40, 43};
    _cleanup_(elf_sections_free) struct elf_sections sections = {0};
    uint64_t words[GO_MODULEDATA_WORDS], first;
    unsigned left = FUNCTIONS_TRIED;
    if (!first_tree(module, &left, &first) || elf_sections_read(module->fd, &sections))
        return;
    if (module->table.version == GO_1_16) {
        (void)try_base(&sections, 0, first, &left, module);
        return;
    }
    find_moduledata(module, &sections, words);
    for (size_t i = 0; i < array_length(bases); i++)
        if (words[bases[i]] && try_base(&sections, words[bases[i]], first, &left, module))
            return;
}
