/* A module's call frame information as libdw gets to see it. */
#include "unwind/cfi_image.h"

#include <dwarf.h>
#include <elf.h>
#include <errno.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/elf_sections.h"
#include "base/read_at.h"
#include "unwind/cfi_check.h"
#include "unwind/cfi_segment.h"

/* The largest known are a tenth of that. */
#define FRAME_BYTES_MAX (UINT64_C(128) << 20)
#define ALIGNMENT 8

struct cfi_image {
    unsigned char *bytes; /* owned */
    size_t length;
    Elf *elf;       /* owned */
    Dwarf_CFI *cfi; /* owned */
};

/* A row of the index; both from the start of .eh_frame_hdr. */
struct row {
    int32_t start, entry;
};

/* The image: this, and the bytes of .eh_frame. */
struct front {
    Elf64_Ehdr header;
    Elf64_Shdr sections[4];
    char names[40];
    /* .eh_frame_hdr */
    uint8_t version, frame_encoding, count_encoding, row_encoding;
    int32_t frame;
    uint32_t count;
    struct row rows[];
};

static int read_contents(int fd, const Elf64_Shdr *section, unsigned char **ret_bytes)
{
    if (!elf_section_is_plain(section))
        return -ENOENT;
    if (section->sh_size > FRAME_BYTES_MAX)
        return -EFBIG;
    /* A sparse file says that it has bytes: ask for the last one before making room for all. */
    char last;
    if (read_at(fd, &last, 1, section->sh_offset + section->sh_size - 1))
        return -ENOENT;
    _cleanup_free_ unsigned char *bytes = malloc(section->sh_size);
    if (!bytes)
        return -ENOMEM;
    int error = read_at(fd, bytes, section->sh_size, section->sh_offset);
    if (error)
        return error;
    *ret_bytes = take_pointer(bytes);
    return 0;
}

static bool find_frame(int fd, Elf64_Shdr *ret_section)
{
    _cleanup_(elf_sections_free) struct elf_sections sections = {0};
    const Elf64_Shdr *found =
        elf_sections_read(fd, &sections) ? NULL : elf_sections_find(&sections, ".eh_frame");
    if (found)
        *ret_section = *found;
    return found;
}

static Elf64_Shdr describe(uint32_t name, uint64_t vaddr, uint64_t offset, uint64_t bytes)
{
    return (Elf64_Shdr){
        .sh_name = name,
        .sh_type = name ? SHT_PROGBITS : SHT_NULL,
        .sh_flags = vaddr ? SHF_ALLOC : 0,
        .sh_addr = vaddr,
        .sh_offset = offset,
        .sh_size = bytes,
        .sh_addralign = name ? ALIGNMENT : 0,
    };
}

static uint64_t round_up(uint64_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static uint32_t add_rows(const struct cfi_entry *entries, size_t count, uint64_t frame_vaddr,
                         uint64_t index_vaddr, struct row *rows)
{
    uint32_t used = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t start = (int64_t)(entries[i].start - index_vaddr);
        int64_t entry = (int64_t)(frame_vaddr + entries[i].offset - index_vaddr);
        if (start == (int32_t)start && entry == (int32_t)entry)
            rows[used++] = (struct row){(int32_t)start, (int32_t)entry};
    }
    return used;
}

/* Lays out the image: sections as they would be in a file, .eh_frame where it is in the module. */
static int build(const Elf64_Ehdr *header, const Elf64_Shdr *frame, unsigned char *contents,
                 unsigned char **ret_bytes, size_t *ret_length)
{
    _cleanup_free_ struct cfi_entry *entries = NULL;
    size_t count = 0;
    int error = cfi_check(contents, frame->sh_size, frame->sh_addr, &entries, &count);
    if (error || count == 0)
        return error ? error : -ENOENT;

    uint64_t frame_offset = round_up(offsetof(struct front, rows) + count * sizeof(struct row));
    uint64_t index_vaddr = round_up(frame->sh_addr + frame->sh_size);
    uint64_t index_offset = offsetof(struct front, version);
    _cleanup_free_ unsigned char *bytes = calloc(1, frame_offset + frame->sh_size);
    if (!bytes)
        return -ENOMEM;
    struct front *front = (struct front *)bytes;
    *front = (struct front){
        .header = {.e_type = ET_DYN,
                   .e_machine = header->e_machine,
                   .e_version = EV_CURRENT,
                   .e_shoff = offsetof(struct front, sections),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_shentsize = sizeof(Elf64_Shdr),
                   .e_shnum = array_length(front->sections),
                   .e_shstrndx = 1},
        .names = "\0.names\0.eh_frame_hdr\0.eh_frame",
        .version = 1,
        .frame_encoding = DW_EH_PE_pcrel | DW_EH_PE_sdata4,
        .count_encoding = DW_EH_PE_udata4,
        .row_encoding = DW_EH_PE_datarel | DW_EH_PE_sdata4,
    };
    memcpy(front->header.e_ident, header->e_ident, EI_NIDENT);
    front->frame = (int32_t)(frame->sh_addr - index_vaddr - 4);
    front->count = add_rows(entries, count, frame->sh_addr, index_vaddr, front->rows);
    front->sections[1] = describe(1, 0, offsetof(struct front, names), sizeof front->names);
    front->sections[1].sh_type = SHT_STRTAB;
    front->sections[2] =
        describe(8, index_vaddr, index_offset,
                 offsetof(struct front, rows) - index_offset + front->count * sizeof(struct row));
    front->sections[3] = describe(22, frame->sh_addr, frame_offset, frame->sh_size);
    memcpy(bytes + frame_offset, contents, frame->sh_size);
    *ret_bytes = take_pointer(bytes);
    *ret_length = frame_offset + frame->sh_size;
    return 0;
}

static int load(const struct module *module, unsigned char **ret_bytes, size_t *ret_length)
{
    Elf64_Ehdr header;
    Elf64_Shdr frame;
    _cleanup_free_ unsigned char *contents = NULL;
    int error = module->fd < 0 ? -ENOENT : elf_header_read(module->fd, &header);
    if (error)
        return error;
    bool has_section = find_frame(module->fd, &frame);
    if (!has_section)
        error = cfi_segment_find(module->fd, &header, FRAME_BYTES_MAX, &frame);
    if (!error)
        error = read_contents(module->fd, &frame, &contents);
    if (!error && !has_section)
        frame.sh_size = cfi_segment_length(contents, frame.sh_size);
    return error ? error : build(&header, &frame, contents, ret_bytes, ret_length);
}

static void cfi_image_freep(struct cfi_image **image)
{
    cfi_image_free(*image);
}

int cfi_image_load(const struct module *module, struct cfi_image **ret_image)
{
    elf_version(EV_CURRENT);
    _cleanup_(cfi_image_freep) struct cfi_image *image = calloc(1, sizeof *image);
    if (!image)
        return -ENOMEM;
    int error = load(module, &image->bytes, &image->length);
    if (error)
        return error;
    image->elf = elf_memory((char *)image->bytes, image->length);
    image->cfi = image->elf ? dwarf_getcfi_elf(image->elf) : NULL;
    if (!image->cfi)
        return -ENOENT;
    *ret_image = take_pointer(image);
    return 0;
}

void cfi_image_free(struct cfi_image *image)
{
    if (!image)
        return;
    dwarf_cfi_end(image->cfi);
    elf_end(image->elf);
    free(image->bytes);
    free(image);
}

size_t cfi_image_bytes(const struct cfi_image *image)
{
    return image ? image->length : 0;
}

Dwarf_CFI *cfi_image_cfi(const struct cfi_image *image)
{
    return image ? image->cfi : NULL;
}
