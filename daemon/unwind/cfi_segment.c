/* PT_GNU_EH_FRAME and what it points to (Linux Standard Base 5 §10.6.2). */
#include "unwind/cfi_segment.h"

#include <dwarf.h>
#include <errno.h>
#include <stdbool.h>

#include "base/dwarf_reader.h"
#include "base/read_at.h"

#define INDEX_BYTES_MAX 16

static int read_segment(int fd, const Elf64_Ehdr *header, unsigned index, Elf64_Phdr *ret_segment)
{
    uint64_t offset;
    if (__builtin_add_overflow(header->e_phoff, index * sizeof *ret_segment, &offset) ||
        offset > INT64_MAX)
        return -ENOENT;
    return read_at(fd, ret_segment, sizeof *ret_segment, offset);
}

/* The vaddr of .eh_frame, which the index at `vaddr` begins with. False when it is not sane. */
static bool read_index(const unsigned char *bytes, size_t length, uint64_t vaddr,
                       uint64_t *ret_frame_vaddr)
{
    struct reader reader = {.bytes = bytes, .length = length};
    uint8_t version = reader_u8(&reader), encoding = reader_u8(&reader);
    reader_take(&reader, 2); /* those of count and table */
    uint64_t base = (encoding & 0x70) == DW_EH_PE_pcrel     ? vaddr + reader.offset
                    : (encoding & 0x70) == DW_EH_PE_datarel ? vaddr
                                                            : 0;
    uint64_t value = 0;
    switch (encoding & 0x0f) {
    case DW_EH_PE_sdata4:
        value = (uint64_t)(int64_t)(int32_t)reader_u32(&reader);
        break;
    case DW_EH_PE_udata4:
        value = reader_u32(&reader);
        break;
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8:
        value = reader_u64(&reader);
        break;
    default:
        return false;
    }
    *ret_frame_vaddr = base + value;
    return version == 1 && !reader.failed;
}

/* From `vaddr` to the end of the bytes that its segment has in the file. */
static int find_loaded(int fd, const Elf64_Ehdr *header, uint64_t vaddr, uint64_t max,
                       Elf64_Shdr *ret_section)
{
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        int error = read_segment(fd, header, i, &segment);
        if (error)
            return error;
        uint64_t into = vaddr - segment.p_vaddr, offset;
        if (segment.p_type != PT_LOAD || vaddr < segment.p_vaddr || into >= segment.p_filesz ||
            __builtin_add_overflow(segment.p_offset, into, &offset))
            continue;
        uint64_t bytes = segment.p_filesz - into;
        *ret_section = (Elf64_Shdr){
            .sh_type = SHT_PROGBITS,
            .sh_flags = SHF_ALLOC,
            .sh_addr = vaddr,
            .sh_offset = offset,
            .sh_size = bytes < max ? bytes : max,
        };
        return 0;
    }
    return -ENOENT;
}

int cfi_segment_find(int fd, const Elf64_Ehdr *header, uint64_t max, Elf64_Shdr *ret_section)
{
    if (header->e_phentsize != sizeof(Elf64_Phdr))
        return -ENOENT;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        unsigned char index[INDEX_BYTES_MAX];
        uint64_t vaddr;
        int error = read_segment(fd, header, i, &segment);
        if (error)
            return error;
        if (segment.p_type != PT_GNU_EH_FRAME)
            continue;
        size_t length = segment.p_filesz < sizeof index ? segment.p_filesz : sizeof index;
        if (segment.p_offset > INT64_MAX - sizeof index)
            return -ENOENT;
        error = read_at(fd, index, length, segment.p_offset);
        if (error || !read_index(index, length, segment.p_vaddr, &vaddr))
            return error ? error : -ENOENT;
        return find_loaded(fd, header, vaddr, max, ret_section);
    }
    return -ENOENT;
}

size_t cfi_segment_length(const unsigned char *bytes, size_t length)
{
    struct reader reader = {.bytes = bytes, .length = length};
    while (reader_left(&reader)) {
        size_t offset = reader.offset;
        uint32_t entry_bytes = reader_u32(&reader);
        if (entry_bytes == 0 || !reader_take(&reader, entry_bytes))
            return offset;
    }
    return length;
}
