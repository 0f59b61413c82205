/* An ELF file as a list of sections that are read with pread when they are wanted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/compression.h"
#include "lprofd/module.h"

struct elf_section {
    char *name; /* owned; that of .zdebug_info is .debug_info */
    uint32_t type, link;
    uint64_t flags, vaddr, offset, bytes, entry_bytes;
    bool is_compressed;
    int compression_error; /* why it cannot be inflated, or 0 */
    /* Read once: who owns the file may change it between asking for the size and inflating. */
    struct compression compression;
};

/*
 * Nothing is mapped: whoever owns the file may truncate it at any time, which must be an error here
 * and not a SIGBUS.
 */
struct elf_reader {
    int fd; /* borrowed, or owned when owns_fd */
    bool owns_fd;
    uint16_t machine;             /* EM_X86_64, ... */
    struct elf_section *sections; /* owned */
    size_t section_count;
    bool lacks_section_headers; /* sections are what elf_dynamic_read() could make of segments */
    uint64_t text_vaddr;        /* where the first executable segment starts */
    unsigned char build_id[BUILD_ID_MAX];
    size_t build_id_bytes;
};

/* Only 64-bit files of our own byte order. `fd` stays the caller's. 0, -ENOMEM or -EBADMSG. */
int elf_reader_open(int fd, struct elf_reader **ret_file);
void elf_reader_free(struct elf_reader *file);

/* The section of that name that has bytes in this file, or NULL. */
const struct elf_section *elf_reader_section(const struct elf_reader *file, const char *name);

/*
 * Reads a section (inflating it if it is compressed) into `bytes`, which holds
 * elf_section_bytes(). 0, -EBADMSG, -ENOTSUP (compressed in an unknown way) or -EIO.
 */
int elf_reader_read_into(const struct elf_reader *file, const struct elf_section *section,
                         void *bytes);

/* The same; if it is inflated, somebody is told how far it is. May return the watch's error. */
int elf_reader_read_watched(const struct elf_reader *file, const struct elf_section *section,
                            void *bytes, const struct inflate_watch *watch);

/* True when it has bytes in this file. */
bool elf_section_is_stored(const struct elf_section *section);

/* Reads a part of a section that is not compressed and is that long. 0 or -EIO. */
int elf_reader_read_part(const struct elf_reader *file, const struct elf_section *section,
                         uint64_t from, uint64_t length, void *bytes);

/* How long the section is once inflated. 0, -EBADMSG or -ENOTSUP. */
int elf_section_inflated_bytes(const struct elf_section *section, uint64_t *ret_bytes);

/*
 * The most that any file may make us hold: a sparse or well compressed one costs its owner nothing.
 * Half of the machine's memory, up to 4 GiB.
 */
uint64_t elf_reader_bytes_max(void);

/*
 * Reads and inflates a section into memory that the caller frees, and ends it with a NUL. -EFBIG,
 * or as elf_reader_read_into().
 */
int elf_reader_read(const struct elf_reader *file, const struct elf_section *section,
                    unsigned char **ret_bytes, size_t *ret_length);

/*
 * .gnu_debuglink: *ret_name is malloc'ed. -ENOENT when the file has none (or names a path: a link
 * is a bare file name).
 */
int elf_reader_debuglink(const struct elf_reader *file, char **ret_name, uint32_t *ret_crc);

/* .gnu_debugaltlink, dwz's: *ret_path is malloc'ed. -ENOENT when the file has none. */
int elf_reader_alternate_link(const struct elf_reader *file, char **ret_path,
                              unsigned char ret_build_id[BUILD_ID_MAX], size_t *ret_build_id_bytes);

/*
 * The CRC-32 of the whole file, as .gnu_debuglink means it. 0, -ENOMEM, -EFBIG beyond
 * elf_reader_bytes_max(), -ECANCELED or -EIO.
 */
int elf_reader_crc(const struct elf_reader *file, const struct cancel *cancel, uint32_t *ret_crc);
