/*
 * Looks through call frame information before libdw does, which trusts it: a register number there
 * is the length of an array (.eh_frame: Linux Standard Base 5 §10.6; programs: DWARF 5 §6.4.2).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Both functions make a DW_CFA_AARCH64_negate_ra_state a DW_CFA_nop: libdw 0.188 takes it for the
 * DW_CFA_GNU_window_save of SPARC, which says where half of all registers are. Nothing is lost:
 * whether a return address is signed need not be known to strip the signature off.
 */

/* A frame description entry that is sound, together with its CIE. */
struct cfi_entry {
    uint64_t start;  /* vaddr of the first instruction that it describes */
    uint64_t offset; /* in the section */
};

/*
 * The sound entries of a section that is loaded at `vaddr`, in the order of their start; the caller
 * frees them. What is not sound is passed over. 0 or -ENOMEM. O(bytes).
 */
int cfi_check(unsigned char *bytes, size_t length, uint64_t vaddr, struct cfi_entry **ret_entries,
              size_t *ret_count);

/*
 * The same for .debug_frame, which libdw walks through from the start: 0 when all of its entries
 * are sound, else -EBADMSG; -ENOMEM.
 */
int cfi_check_debug_frame(unsigned char *bytes, size_t length);
