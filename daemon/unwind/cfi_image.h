/* A module's call frame information as libdw gets to see it: a small ELF image of our own making.
 */
#pragma once

#include <elfutils/libdw.h>

#include "lprofd/module.h"

/*
 * Holds a copy of .eh_frame and an index of those of its entries that are sound: libdw finds no
 * others, and never touches the file, which its owner may change at any time.
 */
struct cfi_image;

/*
 * 0 or -ENOMEM; -ENOENT when the module has no sound call frame information (or is no 64-bit ELF
 * file of our byte order); -EIO, or -EFBIG when it is not plausible.
 */
int cfi_image_load(const struct module *module, struct cfi_image **ret_image);
void cfi_image_free(struct cfi_image *image);

size_t cfi_image_bytes(const struct cfi_image *image);

/* Borrowed. */
Dwarf_CFI *cfi_image_cfi(const struct cfi_image *image);
