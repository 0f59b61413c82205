/* Call frame information for debuggers, where a program has none for its own unwinding. */
#pragma once

#include <elfutils/libdw.h>

/* .debug_frame of one file, in memory of our own; libdw sees no other section. */
struct debug_frame {
    unsigned char *image; /* owned: an ELF file with that section alone */
    size_t length;        /* of the image */
    Elf *elf;             /* owned */
    Dwarf *dwarf;         /* owned */
    Dwarf_CFI *cfi;       /* borrowed from dwarf */
};

/* Reads it out of an ELF file, inflated; `fd` stays the caller's. 0, -ENOENT when there is none,
 * -EFBIG, -EBADMSG or -ENOMEM. */
int debug_frame_open(int fd, struct debug_frame *ret_frame);
void debug_frame_close(struct debug_frame *frame);
