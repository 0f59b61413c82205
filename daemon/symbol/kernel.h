/* The kernel's functions, from /proc/kallsyms. */
#pragma once

#include "base/cancel.h"
#include "symbol/range_map.h"

struct kernel_symbols {
    struct range_map map; /* to offsets in names */
    char *names;          /* owned; NUL between them; "ext4_readdir [ext4]" for a module's */
    size_t name_bytes;
};

/*
 * Reads all of it: 0, -EPERM when the kernel shows only zeros (kptr_restrict), another -errno from
 * opening it, -ENOMEM, -ECANCELED.
 */
int kernel_symbols_read(const struct cancel *cancel, struct kernel_symbols *ret_symbols);

/* The function that covers a kernel address, or NULL. Borrowed. O(log symbols). */
const char *kernel_symbols_find(const struct kernel_symbols *symbols, uint64_t vaddr);

size_t kernel_symbols_bytes(const struct kernel_symbols *symbols);
void kernel_symbols_free(struct kernel_symbols *symbols);
