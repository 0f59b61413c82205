/*
 * Where functions begin and end that no symbol names: call frame information has an entry for each
 * (Linux Standard Base Core, "DWARF Extensions": .eh_frame_hdr).
 */
#pragma once

#include "symbol/elf_reader.h"
#include "symbol/range_map.h"

struct frame_functions {
    uint64_t *starts;     /* owned */
    struct range_map map; /* to positions in starts */
    size_t count;
};

/* None where the index is missing, broken or encoded in a way that no linker uses. 0 or -ENOMEM. */
int frame_functions_read(const struct elf_reader *file, struct frame_functions *ret_functions);

/* The start of the function that covers `vaddr`; vaddr itself when none does. O(log functions). */
uint64_t frame_functions_start(const struct frame_functions *functions, uint64_t vaddr);

size_t frame_functions_bytes(const struct frame_functions *functions);
void frame_functions_free(struct frame_functions *functions);
