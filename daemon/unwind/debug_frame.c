/* Hands libdw an ELF image with .debug_frame alone, so that it reads and inflates nothing else. */
#include "unwind/debug_frame.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/compression.h"
#include "base/elf_limits.h"
#include "unwind/cfi_check.h"

/* That of the largest programs of a distribution has a few MiB. */
#define FRAME_BYTES_MAX ((size_t)128 << 20)

static const char names[] = "\0.debug_frame\0.shstrtab";

static Elf_Scn *find_section(Elf *elf)
{
    size_t strings;
    if (elf_getshdrstrndx(elf, &strings))
        return NULL;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
        GElf_Shdr header;
        if (!gelf_getshdr(scn, &header) || header.sh_type == SHT_NOBITS)
            continue;
        const char *name = elf_strptr(elf, strings, header.sh_name);
        if (name && strcmp(name, ".debug_frame") == 0)
            return scn;
    }
    return NULL;
}

struct frame_bytes {
    const unsigned char *bytes; /* the Elf's, or `inflated` */
    size_t length;
    unsigned char *inflated; /* owned */
};

static void free_frame_bytes(struct frame_bytes *frame)
{
    free(frame->inflated);
}

static int inflate(const Elf_Data *data, struct frame_bytes *frame)
{
    struct compression compression;
    if (data->d_size < COMPRESSION_HEADER_BYTES)
        return -EBADMSG;
    int error = compression_read(data->d_buf, data->d_size, false, &compression);
    if (error)
        return error;
    if (compression.inflated_bytes == 0 || compression.inflated_bytes > FRAME_BYTES_MAX)
        return -EFBIG;
    frame->inflated = malloc(compression.inflated_bytes);
    if (!frame->inflated)
        return -ENOMEM;
    frame->bytes = frame->inflated;
    frame->length = compression.inflated_bytes;
    return compression_inflate(
        compression.kind, (const unsigned char *)data->d_buf + compression.header_bytes,
        data->d_size - compression.header_bytes, frame->inflated, frame->length);
}

static int read_section(Elf_Scn *scn, struct frame_bytes *frame)
{
    GElf_Shdr header;
    if (!gelf_getshdr(scn, &header) || header.sh_size > FRAME_BYTES_MAX)
        return -EFBIG;
    const Elf_Data *data = elf_rawdata(scn, NULL);
    if (!data || !data->d_buf || data->d_size == 0)
        return -EBADMSG;
    if (data->d_size > FRAME_BYTES_MAX)
        return -EFBIG;
    if (header.sh_flags & SHF_COMPRESSED)
        return inflate(data, frame);
    frame->bytes = data->d_buf;
    frame->length = data->d_size;
    return 0;
}

/* Header, section, names, and the table of three sections. */
static int build_image(const GElf_Ehdr *like, const struct frame_bytes *frame,
                       unsigned char **ret_image, size_t *ret_length)
{
    size_t names_at = sizeof(Elf64_Ehdr) + frame->length;
    size_t table_at = (names_at + sizeof names + 7) / 8 * 8;
    size_t length = table_at + 3 * sizeof(Elf64_Shdr);
    unsigned char *image = calloc(1, length);
    if (!image)
        return -ENOMEM;
    Elf64_Ehdr header = {
        .e_type = ET_DYN,
        .e_machine = like->e_machine,
        .e_version = EV_CURRENT,
        .e_ehsize = sizeof header,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shoff = table_at,
        .e_shnum = 3,
        .e_shstrndx = 2,
    };
    memcpy(header.e_ident, like->e_ident, sizeof header.e_ident);
    const Elf64_Shdr table[3] = {
        {.sh_type = SHT_NULL},
        {.sh_name = 1,
         .sh_type = SHT_PROGBITS,
         .sh_offset = sizeof header,
         .sh_size = frame->length,
         .sh_addralign = 8},
        {.sh_name = sizeof ".debug_frame" + 1,
         .sh_type = SHT_STRTAB,
         .sh_offset = names_at,
         .sh_size = sizeof names,
         .sh_addralign = 1},
    };
    memcpy(image, &header, sizeof header);
    memcpy(image + sizeof header, frame->bytes, frame->length);
    memcpy(image + names_at, names, sizeof names);
    memcpy(image + table_at, table, sizeof table);
    *ret_image = image;
    *ret_length = length;
    return 0;
}

static void end_elf(Elf **elf)
{
    elf_end(*elf);
}

/* *ret_image is owned by the caller. */
static int extract(int fd, unsigned char **ret_image, size_t *ret_length)
{
    GElf_Ehdr like;
    _cleanup_(free_frame_bytes) struct frame_bytes frame = {0};
    _cleanup_free_ unsigned char *image = NULL;
    size_t length;
    _cleanup_(end_elf) Elf *elf = elf_open(fd);
    Elf_Scn *scn = elf ? find_section(elf) : NULL;
    if (!scn || !gelf_getehdr(elf, &like))
        return -ENOENT;
    int error = read_section(scn, &frame);
    if (!error)
        error = build_image(&like, &frame, &image, &length);
    if (!error)
        error = cfi_check_debug_frame(image + sizeof(Elf64_Ehdr), frame.length);
    if (error)
        return error;
    *ret_image = take_pointer(image);
    *ret_length = length;
    return 0;
}

int debug_frame_open(int fd, struct debug_frame *ret_frame)
{
    struct debug_frame frame = {0};
    int error = extract(fd, &frame.image, &frame.length);
    if (error)
        return error;
    frame.elf = elf_memory((char *)frame.image, frame.length);
    if (frame.elf)
        frame.dwarf = dwarf_begin_elf(frame.elf, DWARF_C_READ, NULL);
    if (frame.dwarf)
        frame.cfi = dwarf_getcfi(frame.dwarf);
    if (!frame.cfi) {
        debug_frame_close(&frame);
        return -EBADMSG;
    }
    *ret_frame = frame;
    return 0;
}

void debug_frame_close(struct debug_frame *frame)
{
    dwarf_end(frame->dwarf);
    elf_end(frame->elf);
    free(frame->image);
    *frame = (struct debug_frame){0};
}
