/*
 * Call frame information of modules as rules: how to get from a frame to its caller's
 * (DWARF 5 §6.4, .eh_frame of the Linux Standard Base).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lprofd/architecture.h"
#include "lprofd/module.h"

enum cfi_kind {
    CFI_NONE,       /* nothing is known about this address */
    CFI_RULE,       /* the plain rule below */
    CFI_EXPRESSION, /* the rule needs DWARF expressions: ask cfi_frame() */
    CFI_ROOT,       /* the outermost frame: there is no caller */
    CFI_SIGNAL,     /* code that calls rt_sigreturn(2), without call frame information */
};

/* All offsets are from the canonical frame address (CFA). */
struct cfi_rule {
    uint8_t kind; /* enum cfi_kind */
    uint8_t cfa_register;
    bool fp_saved;        /* at fp_offset; else the caller's frame pointer is this frame's */
    bool return_in_lr;    /* the return address is in the link register, not at return_offset */
    bool is_signal_frame; /* the "return address" is exact, not one after a call */
    bool switches_stack;  /* before it calls: its own caller is on another stack then */
    int32_t cfa_offset, fp_offset, return_offset;
};

struct cfi_cache;
/* Far more than the programs of a machine have together. */
#define CFI_BYTES_MAX ((size_t)1 << 30)

/*
 * `architecture` is borrowed. Once it holds `bytes_max` of modules' information, those that come
 * later have none.
 */
int cfi_cache_new(const struct architecture *architecture, size_t bytes_max,
                  struct cfi_cache **ret_cache);
void cfi_cache_free(struct cfi_cache *cache);

/* The rule at `vaddr`. Tens of ns when cached, microseconds when it has to be decoded. */
struct cfi_rule cfi_cache_find(struct cfi_cache *cache, const struct module *module,
                               uint64_t vaddr);

/*
 * libdw's own view of the frame, for CFI_EXPRESSION. The caller frees it with free(); what it
 * points to lives as long as the cache. NULL when there is none.
 */
struct Dwarf_Frame_s;
struct Dwarf_Frame_s *cfi_frame(struct cfi_cache *cache, const struct module *module,
                                uint64_t vaddr);
