/* Builds a small ELF image of debug sections and opens it with libdw. */
#include "symbol/debug_image.h"

#include <errno.h>
#include <gelf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define ALIGNMENT 16
/* Of .debug_info, from which on a thread of its own is worth its while. */
#define THREAD_FROM_BYTES (4u << 20)

static const char *const wanted_sections[] = {
    ".debug_info",     ".debug_abbrev", ".debug_line", ".debug_str",        ".debug_line_str",
    ".debug_rnglists", ".debug_ranges", ".debug_addr", ".debug_str_offsets"};

/* Where the first of them, .debug_info, is in an image: some shared files of dwz have none. */
#define INFO 1
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
    /* Where dwz shared nothing but strings: libdw takes no image without units. */
    if (!elf_reader_section(file, ".debug_info"))
        add_section(layout, ".debug_info", SHT_PROGBITS, 1);
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

/* What a thread needs that brings .debug_info. */
struct bringing {
    const struct elf_reader *file;     /* borrowed */
    const struct elf_section *section; /* borrowed */
    unsigned char *bytes;              /* borrowed */
    struct arrival *arrival;           /* borrowed */
};

static int reached(void *user, size_t bytes)
{
    return arrival_reached(user, bytes);
}

static void bring(const struct bringing *bringing)
{
    const struct inflate_watch watch = {reached, bringing->arrival};
    arrival_end(bringing->arrival, elf_reader_read_watched(bringing->file, bringing->section,
                                                           bringing->bytes, &watch));
}

static void *bring_in_thread(void *user)
{
    _cleanup_free_ struct bringing *bringing = user;
    bring(bringing);
    return NULL;
}

/* In a thread of its own, if it is large. */
static int start_info(struct debug_image *image, const struct elf_reader *file,
                      const struct layout *layout)
{
    _cleanup_free_ struct bringing *bringing = malloc(sizeof *bringing);
    if (!bringing)
        return -ENOMEM;
    *bringing = (struct bringing){
        .file = file,
        .section = layout->sections[INFO],
        .bytes = image->pages.bytes + layout->headers[INFO].sh_offset,
        .arrival = &image->info,
    };
    image->has_thread = layout->headers[INFO].sh_size > THREAD_FROM_BYTES &&
                        pthread_create(&image->thread, NULL, bring_in_thread, bringing) == 0;
    if (image->has_thread)
        bringing = NULL; /* the thread's */
    else
        bring(bringing);
    return 0;
}

static int read_others(const struct elf_reader *file, const struct layout *layout, size_t first,
                       unsigned char *bytes)
{
    int error = 0;
    for (size_t i = first; i < layout->count && !error; i++)
        if (layout->sections[i])
            error = elf_reader_read_into(file, layout->sections[i],
                                         bytes + layout->headers[i].sh_offset);
    return error;
}

static int fill(struct debug_image *image, const struct elf_reader *file,
                const struct layout *layout)
{
    bool has_info = elf_reader_section(file, ".debug_info");
    int error = 0;
    fill_frame(file, layout, image->pages.bytes);
    if (has_info)
        error = start_info(image, file, layout);
    else
        arrival_end(&image->info, 0);
    return error ? error : read_others(file, layout, INFO + has_info, image->pages.bytes);
}

static void free_image(struct debug_image **image)
{
    debug_image_free(*image);
}

bool debug_image_possible(const struct elf_reader *file)
{
    return elf_reader_section(file, ".debug_info") && elf_reader_section(file, ".debug_abbrev");
}

static int fill_image(struct debug_image *image, const struct elf_reader *file)
{
    struct layout layout = {0};
    int error = plan(file, &layout);
    if (error)
        return error;
    size_t length = layout.length + layout.count * sizeof *layout.headers;
    error = pages_get(length, &image->pages);
    if (!error)
        error = fill(image, file, &layout);
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
    return 0;
}

int debug_image_start(const struct elf_reader *file, struct debug_image *alternate,
                      struct debug_image **ret_image)
{
    _cleanup_(free_image) struct debug_image *image = calloc(1, sizeof *image);
    if (!image) {
        debug_image_free(alternate);
        return -ENOMEM;
    }
    image->alternate = alternate;
    arrival_init(&image->info);
    int error = fill_image(image, file);
    if (error)
        return error;
    *ret_image = take_pointer(image);
    return 0;
}

int debug_image_load(const struct elf_reader *file, struct debug_image *alternate,
                     struct debug_image **ret_image)
{
    _cleanup_(free_image) struct debug_image *image = NULL;
    int error = debug_image_start(file, alternate, &image);
    if (!error)
        error = debug_image_wait(image, UINT64_MAX);
    if (error)
        return error;
    *ret_image = take_pointer(image);
    return 0;
}

int debug_image_wait(struct debug_image *image, uint64_t end)
{
    return arrival_wait(&image->info, end);
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

struct span debug_image_span(const struct debug_image *image, const char *name)
{
    struct span section;
    section.bytes = debug_image_section(image, name, &section.length);
    return section;
}

struct line_sections debug_image_line_sections(const struct debug_image *image)
{
    return (struct line_sections){
        .line = debug_image_span(image, ".debug_line"),
        .str = debug_image_span(image, ".debug_str"),
        .line_str = debug_image_span(image, ".debug_line_str"),
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
    arrival_cancel(&image->info);
    if (image->has_thread)
        pthread_join(image->thread, NULL);
    arrival_destroy(&image->info);
    if (image->dwarf)
        dwarf_end(image->dwarf);
    if (image->elf)
        elf_end(image->elf);
    pages_free(&image->pages);
    debug_image_free(image->alternate);
    free(image);
}
