/*
 * Looks through call frame information before libdw does, which trusts it: a register number there
 * is the length of an array (.eh_frame: Linux Standard Base 5 §10.6; programs: DWARF 5 §6.4.2).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A frame description entry that is sound, together with its CIE. */
struct cfi_entry {
    uint64_t start;  /* vaddr of the first instruction that it describes */
    uint64_t offset; /* in the section */
};

/*
 * The sound entries of a section that is loaded at `vaddr`, in the order of their start; the caller
 * frees them. What is not sound is passed over. 0 or -ENOMEM. O(bytes).
 */
int cfi_check(const unsigned char *bytes, size_t length, uint64_t vaddr,
              struct cfi_entry **ret_entries, size_t *ret_count);

/*
 * The same for .debug_frame, which libdw walks through from the start: 0 when all of its entries
 * are sound, else -EBADMSG; -ENOMEM.
 */
int cfi_check_debug_frame(const unsigned char *bytes, size_t length);
