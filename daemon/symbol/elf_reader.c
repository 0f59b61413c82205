/* Reads ELF headers with libelf, and section contents with pread. */
#include "symbol/elf_reader.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elfutils/libdwelf.h>
#include <isa-l/crc.h>

#include "base/cleanup.h"
#include "base/compression.h"
#include "base/elf_limits.h"
#include "base/read_at.h"
#include "base/reader.h"
#include "symbol/elf_dynamic.h"

#define CHUNK_BYTES (256 * 1024)
#define SECTION_NAME_BYTES_MAX 256
#define OLD_PREFIX ".zdebug_"
#define HOLD_BYTES_MAX (UINT64_C(4) << 30)

static void end_elf(Elf **elf)
{
    elf_end(*elf);
}

/* The others have no bytes in the file, whatever their headers say. */
static bool is_stored(uint32_t type)
{
    return type != SHT_NOBITS && type != SHT_NULL;
}

static void note_compression(int fd, bool is_old, struct elf_section *section)
{
    unsigned char header[COMPRESSION_HEADER_BYTES];
    section->is_compressed = true;
    section->compression_error = -EBADMSG;
    if (is_stored(section->type) && section->bytes >= sizeof header &&
        read_at(fd, header, sizeof header, section->offset) == 0)
        section->compression_error =
            compression_read(header, section->bytes, is_old, &section->compression);
}

/* ".debug_info" of ".zdebug_info". */
static char *section_name(const char *name, bool is_old)
{
    char *copy = strndup(is_old ? name + 1 : name, SECTION_NAME_BYTES_MAX);
    if (copy && is_old)
        copy[0] = '.';
    return copy;
}

static int read_sections(Elf *elf, uint64_t file_bytes, struct elf_reader *file)
{
    size_t count, names;
    if (elf_getshdrnum(elf, &count) || elf_getshdrstrndx(elf, &names))
        return -EBADMSG;
    if (count == 0)
        return elf_dynamic_read(elf, file_bytes, file);
    file->sections = calloc(count + 1, sizeof *file->sections);
    if (!file->sections)
        return -ENOMEM;

    for (size_t i = 0; i < count; i++) {
        GElf_Shdr header;
        Elf_Scn *scn = elf_getscn(elf, i);
        if (!scn || !gelf_getshdr(scn, &header))
            return -EBADMSG;
        /* One that is damaged costs what it has, not the others. */
        if (header.sh_offset > file_bytes || header.sh_size > file_bytes - header.sh_offset)
            header.sh_type = SHT_NOBITS;
        const char *stored_name = elf_strptr(elf, names, header.sh_name);
        const char *name = stored_name ? stored_name : "";
        bool is_old = strncmp(name, OLD_PREFIX, strlen(OLD_PREFIX)) == 0;
        file->sections[i] = (struct elf_section){
            .name = section_name(name, is_old),
            .type = header.sh_type,
            .link = header.sh_link,
            .flags = header.sh_flags,
            .vaddr = header.sh_addr,
            .offset = header.sh_offset,
            .bytes = header.sh_size,
            .entry_bytes = header.sh_entsize,
        };
        file->section_count = i + 1;
        if (!file->sections[i].name)
            return -ENOMEM;
        if (is_old || (header.sh_flags & SHF_COMPRESSED))
            note_compression(file->fd, is_old, &file->sections[i]);
    }
    return 0;
}

static uint64_t first_text_vaddr(Elf *elf)
{
    uint64_t lowest = UINT64_MAX;
    size_t count;
    if (elf_getphdrnum(elf, &count))
        return 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header))
            break;
        if (header.p_type == PT_LOAD && (header.p_flags & PF_X) && header.p_vaddr < lowest)
            lowest = header.p_vaddr;
    }
    return lowest == UINT64_MAX ? 0 : lowest;
}

static int read_headers(Elf *elf, uint64_t file_bytes, struct elf_reader *file)
{
    GElf_Ehdr header;
    if (!gelf_getehdr(elf, &header))
        return -EBADMSG;
    file->machine = header.e_machine;
    file->text_vaddr = first_text_vaddr(elf);

    const void *build_id;
    ssize_t bytes = dwelf_elf_gnu_build_id(elf, &build_id);
    if (bytes > 0 && bytes <= BUILD_ID_MAX) {
        memcpy(file->build_id, build_id, (size_t)bytes);
        file->build_id_bytes = (size_t)bytes;
    }
    return read_sections(elf, file_bytes, file);
}

static void free_file(struct elf_reader **file)
{
    elf_reader_free(*file);
}

int elf_reader_open(int fd, struct elf_reader **ret_file)
{
    struct stat status;
    if (fstat(fd, &status) || status.st_size <= 0)
        return -EBADMSG;
    _cleanup_(end_elf) Elf *elf = elf_open(fd);
    if (!elf)
        return -EBADMSG;
    _cleanup_(free_file) struct elf_reader *file = calloc(1, sizeof *file);
    if (!file)
        return -ENOMEM;
    file->fd = fd;
    int error = read_headers(elf, (uint64_t)status.st_size, file);
    if (error)
        return error;
    *ret_file = take_pointer(file);
    return 0;
}

void elf_reader_free(struct elf_reader *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->section_count; i++)
        free(file->sections[i].name);
    free(file->sections);
    if (file->owns_fd)
        close(file->fd);
    free(file);
}

const struct elf_section *elf_reader_section(const struct elf_reader *file, const char *name)
{
    for (size_t i = 0; i < file->section_count; i++) {
        const struct elf_section *section = &file->sections[i];
        if (elf_section_is_stored(section) && strcmp(section->name, name) == 0)
            return section;
    }
    return NULL;
}

uint64_t elf_reader_bytes_max(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    uint64_t half = pages > 0 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) / 2 : 0;
    return half < HOLD_BYTES_MAX ? half : HOLD_BYTES_MAX;
}

bool elf_section_is_stored(const struct elf_section *section)
{
    return is_stored(section->type) && section->bytes;
}

int elf_reader_read_part(const struct elf_reader *file, const struct elf_section *section,
                         uint64_t from, uint64_t length, void *bytes)
{
    return read_at(file->fd, bytes, length, section->offset + from);
}

int elf_section_inflated_bytes(const struct elf_section *section, uint64_t *ret_bytes)
{
    if (section->compression_error)
        return section->compression_error;
    *ret_bytes = section->is_compressed ? section->compression.inflated_bytes : section->bytes;
    return 0;
}

static int inflate_section(const struct elf_reader *file, const struct elf_section *section,
                           void *bytes, const struct inflate_watch *watch)
{
    if (section->compression_error)
        return section->compression_error;
    if (section->bytes > elf_reader_bytes_max())
        return -EFBIG;
    return compression_inflate_file(&section->compression, file->fd, section->offset,
                                    section->bytes, bytes, watch);
}

int elf_reader_read_watched(const struct elf_reader *file, const struct elf_section *section,
                            void *bytes, const struct inflate_watch *watch)
{
    if (section->is_compressed)
        return inflate_section(file, section, bytes, watch);
    return read_at(file->fd, bytes, section->bytes, section->offset);
}

int elf_reader_read_into(const struct elf_reader *file, const struct elf_section *section,
                         void *bytes)
{
    return elf_reader_read_watched(file, section, bytes, NULL);
}

int elf_reader_read(const struct elf_reader *file, const struct elf_section *section,
                    unsigned char **ret_bytes, size_t *ret_length)
{
    uint64_t length;
    int error = elf_section_inflated_bytes(section, &length);
    if (error)
        return error;
    if (length > elf_reader_bytes_max())
        return -EFBIG;
    _cleanup_free_ unsigned char *bytes = malloc(length + 1);
    if (!bytes)
        return -ENOMEM;
    error = elf_reader_read_into(file, section, bytes);
    if (error)
        return error;
    bytes[length] = '\0';
    *ret_bytes = take_pointer(bytes);
    *ret_length = length;
    return 0;
}

int elf_reader_debuglink(const struct elf_reader *file, char **ret_name, uint32_t *ret_crc)
{
    const struct elf_section *section = elf_reader_section(file, ".gnu_debuglink");
    _cleanup_free_ unsigned char *bytes = NULL;
    size_t length;
    if (!section || elf_reader_read(file, section, &bytes, &length))
        return -ENOENT;
    struct reader reader = {.bytes = bytes, .length = length};
    const char *name = reader_string(&reader);
    if (!name || !name[0] || strchr(name, '/'))
        return -ENOENT;
    reader_take(&reader, -reader.offset % 4);
    uint32_t crc = reader_u32(&reader);
    if (reader.failed)
        return -ENOENT;
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    *ret_name = copy;
    *ret_crc = crc;
    return 0;
}

int elf_reader_alternate_link(const struct elf_reader *file, char **ret_path,
                              unsigned char ret_build_id[BUILD_ID_MAX], size_t *ret_build_id_bytes)
{
    const struct elf_section *section = elf_reader_section(file, ".gnu_debugaltlink");
    _cleanup_free_ unsigned char *bytes = NULL;
    size_t length;
    if (!section || elf_reader_read(file, section, &bytes, &length))
        return -ENOENT;
    struct reader reader = {.bytes = bytes, .length = length};
    const char *path = reader_string(&reader);
    size_t id_bytes = reader_left(&reader);
    if (!path || !path[0] || id_bytes == 0 || id_bytes > BUILD_ID_MAX)
        return -ENOENT;
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    memcpy(ret_build_id, bytes + reader.offset, id_bytes);
    *ret_build_id_bytes = id_bytes;
    *ret_path = copy;
    return 0;
}

int elf_reader_crc(const struct elf_reader *file, const struct cancel *cancel, uint32_t *ret_crc)
{
    struct stat status;
    if (fstat(file->fd, &status))
        return -EIO;
    uint64_t bytes = (uint64_t)status.st_size;
    if (bytes > elf_reader_bytes_max())
        return -EFBIG;
    _cleanup_free_ unsigned char *chunk = malloc(CHUNK_BYTES);
    if (!chunk)
        return -ENOMEM;
    uint32_t crc = 0;
    for (uint64_t at = 0, length; at < bytes; at += length) {
        length = bytes - at < CHUNK_BYTES ? bytes - at : CHUNK_BYTES;
        int error = cancel_is_wanted(cancel) ? -ECANCELED : read_at(file->fd, chunk, length, at);
        if (error)
            return error;
        crc = crc32_gzip_refl(crc, chunk, length);
    }
    *ret_crc = crc;
    return 0;
}
