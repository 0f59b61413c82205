/* Looks for the runtime's record of its program in data, and in relocations. */
#include "base/go_moduledata.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/read_at.h"

/* A multiple of what is looked for: words, and relocations of three words. */
#define CHUNK_BYTES (sizeof(Elf64_Rela) << 13)
/* Of all sections together: they may be sparse, or the same bytes many times. */
#define READ_BYTES_MAX (UINT64_C(1) << 30)
#define RECORD_BYTES (GO_MODULEDATA_WORDS * sizeof(uint64_t))

/* A piece of a section; each overlaps the next by `overlap` bytes, so that nothing is cut. */
struct window {
    int fd;
    const Elf64_Shdr *section;
    size_t overlap;
    uint64_t at; /* of its bytes in the section */
    size_t length;
    unsigned char *bytes; /* borrowed: CHUNK_BYTES */
    uint64_t *left;       /* borrowed: how much may still be read */
};

/* False at the end of the section, of the file, or of what may be read. */
static bool next_window(struct window *window)
{
    uint64_t left = window->section->sh_size - window->at;
    if (window->length) {
        if (left <= window->length)
            return false;
        window->at += window->length - window->overlap;
        left = window->section->sh_size - window->at;
    }
    window->length = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
    if (*window->left < window->length)
        return false;
    *window->left -= window->length;
    return read_at(window->fd, window->bytes, window->length,
                   window->section->sh_offset + window->at) == 0;
}

static bool is_record(const unsigned char *bytes, const uint64_t first[2])
{
    return memcmp(bytes, first, 2 * sizeof *first) == 0;
}

static bool find_in_data(struct window window, const uint64_t first[2],
                         uint64_t ret_words[GO_MODULEDATA_WORDS])
{
    window.overlap = RECORD_BYTES;
    while (next_window(&window)) {
        for (size_t i = 0; i + RECORD_BYTES <= window.length; i += 8) {
            if (is_record(window.bytes + i, first)) {
                memcpy(ret_words, window.bytes + i, RECORD_BYTES);
                return true;
            }
        }
    }
    return false;
}

static bool is_relative(const Elf64_Rela *entry)
{
    return ELF64_R_TYPE(entry->r_info) == R_X86_64_RELATIVE ||
           ELF64_R_TYPE(entry->r_info) == R_AARCH64_RELATIVE;
}

/* Linkers sort relative relocations by address (-z combreloc). */
static bool is_start(const Elf64_Rela entries[2], const uint64_t first[2])
{
    return is_relative(&entries[0]) && is_relative(&entries[1]) &&
           entries[1].r_offset == entries[0].r_offset + 8 &&
           (uint64_t)entries[0].r_addend == first[0] && (uint64_t)entries[1].r_addend == first[1];
}

static void take_words(const Elf64_Rela entries[GO_MODULEDATA_WORDS],
                       uint64_t ret_words[GO_MODULEDATA_WORDS])
{
    for (size_t i = 0; i < GO_MODULEDATA_WORDS; i++) {
        uint64_t offset = entries[i].r_offset - entries[0].r_offset;
        if (offset < RECORD_BYTES && offset % 8 == 0 && is_relative(&entries[i]))
            ret_words[offset / 8] = (uint64_t)entries[i].r_addend;
    }
}

static bool find_in_relocations(struct window window, const uint64_t first[2],
                                uint64_t ret_words[GO_MODULEDATA_WORDS])
{
    Elf64_Rela entries[GO_MODULEDATA_WORDS] = {0};
    window.overlap = sizeof entries;
    while (next_window(&window)) {
        bool is_last = window.at + window.length == window.section->sh_size;
        size_t needed = is_last ? 2 * sizeof *entries : sizeof entries;
        for (size_t i = 0; i + needed <= window.length; i += sizeof *entries) {
            size_t left = window.length - i;
            memcpy(entries, window.bytes + i, left < sizeof entries ? left : sizeof entries);
            if (is_start(entries, first)) {
                take_words(entries, ret_words);
                return true;
            }
        }
    }
    return false;
}

int go_moduledata_find(int fd, const struct elf_sections *sections, const uint64_t first[2],
                       uint64_t ret_words[GO_MODULEDATA_WORDS])
{
    _cleanup_free_ unsigned char *bytes = malloc(CHUNK_BYTES);
    uint64_t left = READ_BYTES_MAX;
    if (!bytes)
        return -ENOMEM;
    for (size_t i = 0; i < sections->count; i++) {
        const Elf64_Shdr *section = &sections->items[i];
        const struct window window = {.fd = fd, .section = section, .bytes = bytes, .left = &left};
        const uint64_t data = SHF_ALLOC | SHF_WRITE;
        if (!elf_section_is_plain(section))
            continue;
        if ((section->sh_flags & data) == data && find_in_data(window, first, ret_words))
            return 0;
        if (section->sh_type == SHT_RELA && find_in_relocations(window, first, ret_words))
            return 0;
    }
    return -ENOENT;
}
