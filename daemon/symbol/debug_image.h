/* The debug sections of one file, in memory of our own, as libdw wants to see them. */
#pragma once

#include <elfutils/libdw.h>

#include "base/pages.h"
#include "symbol/arrival.h"
#include "symbol/elf_reader.h"
#include "symbol/line_header.h"

/*
 * libdw gets an ELF image with only the sections that lines and inlines need, inflated. So it never
 * touches the file again (which may be truncated under us), never inflates what nobody asked for,
 * and never sees .gnu_debugaltlink, which would make it open files by itself.
 */
struct debug_image {
    struct pages pages;            /* owned */
    Elf *elf;                      /* owned */
    Dwarf *dwarf;                  /* owned */
    struct debug_image *alternate; /* owned: dwz's shared file, or NULL */
    struct arrival info;           /* of .debug_info */
    pthread_t thread;              /* that brings it */
    bool has_thread;
};

/* True when the file has the sections that an image needs. */
bool debug_image_possible(const struct elf_reader *file);

/*
 * Takes over `alternate` (may be NULL), also on failure. 0, -ENOMEM, -EFBIG (beyond what we are
 * willing to hold), or -EBADMSG, -ENOTSUP, -EIO as elf_reader_read_into().
 */
int debug_image_load(const struct elf_reader *file, struct debug_image *alternate,
                     struct debug_image **ret_image);

/*
 * The same, but a large .debug_info is still on its way: nobody may look at bytes of it that
 * debug_image_wait() has not seen, not even with libdw. `file` must outlive that.
 */
int debug_image_start(const struct elf_reader *file, struct debug_image *alternate,
                      struct debug_image **ret_image);

/*
 * 0 when .debug_info is there up to that offset (or all of it, when that is less); else why it will
 * never be, as debug_image_load().
 */
int debug_image_wait(struct debug_image *image, uint64_t end);

/* A borrowed section of the image; NULL and 0 when it has none of that name. */
const unsigned char *debug_image_section(const struct debug_image *image, const char *name,
                                         size_t *ret_length);
struct span debug_image_span(const struct debug_image *image, const char *name);

/* Those of line programs and their strings, as far as it has them. */
struct line_sections debug_image_line_sections(const struct debug_image *image);

size_t debug_image_bytes(const struct debug_image *image);
void debug_image_free(struct debug_image *image);
