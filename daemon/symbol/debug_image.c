/* Builds a small ELF image of debug sections and opens it with libdw. */
#include "symbol/debug_image.h"

#include <errno.h>
#include <gelf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define ALIGNMENT 16
/* Of images, from which on a second thread is worth its while. */
#define THREAD_FROM_BYTES (4u << 20)

/* The first, by far the largest, has a thread of its own. */
static const char *const wanted_sections[] = {
    ".debug_info",     ".debug_abbrev", ".debug_line", ".debug_str",        ".debug_line_str",
    ".debug_rnglists", ".debug_ranges", ".debug_addr", ".debug_str_offsets"};

/* Null section, wanted sections, names. */
#define SECTIONS_MAX (array_length(wanted_sections) + 2)

struct layout {
    const struct elf_section *sections[SECTIONS_MAX];
    Elf64_Shdr headers[SECTIONS_MAX];
    size_t count;
    char names[256];
    size_t name_bytes;
    uint64_t length; /* of the image so far */
};

static void add_section(struct layout *layout, const char *name, uint32_t type, uint64_t bytes)
{
    layout->headers[layout->count++] = (Elf64_Shdr){
        .sh_name = (uint32_t)layout->name_bytes,
        .sh_type = type,
        .sh_offset = layout->length,
        .sh_size = bytes,
        .sh_addralign = ALIGNMENT,
    };
    memcpy(layout->names + layout->name_bytes, name, strlen(name) + 1);
    layout->name_bytes += strlen(name) + 1;
    layout->length += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static int plan(const struct elf_reader *file, struct layout *layout)
{
    layout->length = sizeof(Elf64_Ehdr);
    add_section(layout, "", SHT_NULL, 0);
    for (size_t i = 0; i < array_length(wanted_sections); i++) {
        uint64_t bytes;
        const struct elf_section *section = elf_reader_section(file, wanted_sections[i]);
        if (!section)
            continue;
        int error = elf_section_inflated_bytes(section, &bytes);
        if (error)
            return error;
        if (bytes > elf_reader_bytes_max())
            return -EFBIG;
        layout->sections[layout->count] = section;
        add_section(layout, wanted_sections[i], SHT_PROGBITS, bytes);
    }
    add_section(layout, ".shstrtab", SHT_STRTAB, sizeof layout->names);
    return layout->length > elf_reader_bytes_max() ? -EFBIG : 0;
}

static void fill_frame(const struct elf_reader *file, const struct layout *layout,
                       unsigned char *bytes)
{
    Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                    __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB, EV_CURRENT},
        .e_type = ET_DYN,
        .e_machine = file->machine,
        .e_version = EV_CURRENT,
        .e_ehsize = sizeof header,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shoff = layout->length,
        .e_shnum = (uint16_t)layout->count,
        .e_shstrndx = (uint16_t)(layout->count - 1),
    };
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + layout->length, layout->headers, layout->count * sizeof *layout->headers);
    memcpy(bytes + layout->headers[layout->count - 1].sh_offset, layout->names,
           sizeof layout->names);
}

/* The sections of an image that one thread fills. */
struct filling {
    const struct elf_reader *file; /* borrowed */
    const struct layout *layout;   /* borrowed */
    unsigned char *bytes;          /* borrowed */
    size_t first, end;
    int error;
};

static void *fill_sections(void *user)
{
    struct filling *filling = user;
    const struct layout *layout = filling->layout;
    for (size_t i = filling->first; i < filling->end && !filling->error; i++)
        if (layout->sections[i])
            filling->error = elf_reader_read_into(filling->file, layout->sections[i],
                                                  filling->bytes + layout->headers[i].sh_offset);
    return NULL;
}

/* Two threads write to different sections. */
static int fill(const struct elf_reader *file, const struct layout *layout, unsigned char *bytes)
{
    struct filling first = {file, layout, bytes, .first = 0, .end = 2};
    struct filling others = {file, layout, bytes, .first = first.end, .end = layout->count};
    pthread_t thread;
    bool is_parallel = layout->length > THREAD_FROM_BYTES &&
                       pthread_create(&thread, NULL, fill_sections, &others) == 0;
    fill_frame(file, layout, bytes);
    fill_sections(&first);
    if (is_parallel)
        pthread_join(thread, NULL);
    else
        fill_sections(&others);
    return first.error ? first.error : others.error;
}

static void free_image(struct debug_image **image)
{
    debug_image_free(*image);
}

bool debug_image_possible(const struct elf_reader *file)
{
    return elf_reader_section(file, ".debug_info") && elf_reader_section(file, ".debug_abbrev");
}

int debug_image_load(const struct elf_reader *file, struct debug_image *alternate,
                     struct debug_image **ret_image)
{
    _cleanup_(free_image) struct debug_image *image = calloc(1, sizeof *image);
    if (!image) {
        debug_image_free(alternate);
        return -ENOMEM;
    }
    image->alternate = alternate;
    struct layout layout = {0};
    int error = plan(file, &layout);
    if (error)
        return error;

    size_t length = layout.length + layout.count * sizeof *layout.headers;
    error = pages_get(length, &image->pages);
    if (!error)
        error = fill(file, &layout, image->pages.bytes);
    if (error)
        return error;
    image->elf = elf_memory((char *)image->pages.bytes, length);
    if (!image->elf)
        return -EBADMSG;
    image->dwarf = dwarf_begin_elf(image->elf, DWARF_C_READ, NULL);
    if (!image->dwarf)
        return -EBADMSG;
    if (image->alternate)
        dwarf_setalt(image->dwarf, image->alternate->dwarf);
    *ret_image = take_pointer(image);
    return 0;
}

const unsigned char *debug_image_section(const struct debug_image *image, const char *name,
                                         size_t *ret_length)
{
    Elf64_Ehdr header;
    memcpy(&header, image->pages.bytes, sizeof header);
    const Elf64_Shdr *headers = (const void *)(image->pages.bytes + header.e_shoff);
    const char *names = (const char *)image->pages.bytes + headers[header.e_shstrndx].sh_offset;
    for (size_t i = 1; i < header.e_shnum; i++) {
        if (strcmp(names + headers[i].sh_name, name) == 0) {
            *ret_length = headers[i].sh_size;
            return image->pages.bytes + headers[i].sh_offset;
        }
    }
    *ret_length = 0;
    return NULL;
}

static struct span section_bytes(const struct debug_image *image, const char *name)
{
    struct span section;
    section.bytes = debug_image_section(image, name, &section.length);
    return section;
}

struct line_sections debug_image_line_sections(const struct debug_image *image)
{
    return (struct line_sections){
        .line = section_bytes(image, ".debug_line"),
        .str = section_bytes(image, ".debug_str"),
        .line_str = section_bytes(image, ".debug_line_str"),
    };
}

size_t debug_image_bytes(const struct debug_image *image)
{
    return image ? image->pages.length + debug_image_bytes(image->alternate) : 0;
}

void debug_image_free(struct debug_image *image)
{
    if (!image)
        return;
    if (image->dwarf)
        dwarf_end(image->dwarf);
    if (image->elf)
        elf_end(image->elf);
    pages_free(&image->pages);
    debug_image_free(image->alternate);
    free(image);
}
