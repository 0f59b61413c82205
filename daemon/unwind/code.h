/* The machine code of modules, in their files. */
#pragma once

#include "lprofd/architecture.h"
#include "lprofd/module.h"

/* False when the module has no such bytes in its file. */
bool code_read(const struct module *module, uint64_t vaddr, size_t length, uint8_t *ret_bytes);

/* True after an instruction that calls what a register or memory points at. x86-64 only. */
bool code_follows_indirect_call(const struct architecture *architecture,
                                const struct module *module, uint64_t vaddr);
