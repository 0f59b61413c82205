/* Names for the jump stubs of the procedure linkage table: "malloc@plt". */
#pragma once

#include "base/text.h"
#include "symbol/elf_reader.h"

struct plt_entry {
    uint64_t start, end;
    uint32_t name; /* offset into names */
};

struct plt {
    struct plt_entry *entries; /* owned */
    size_t count, capacity;
    struct text names; /* owned; NUL between names */
};

/*
 * Decodes the stubs of x86-64 (.plt, .plt.sec, .plt.got) and AArch64 (.plt) and matches the slot
 * each jumps through with its relocation. 0 (also when there is nothing to name), -ENOMEM,
 * -EBADMSG.
 */
int plt_read(const struct elf_reader *file, struct plt *ret_plt);
void plt_free(struct plt *plt);
