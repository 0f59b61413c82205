/* Signal trampolines, where there is no call frame information: recognised by their code. */
#pragma once

#include "lprofd/architecture.h"
#include "lprofd/module.h"

/*
 * Whether `vaddr` is in a trampoline, or one byte before it, where the return address of a handler
 * is looked up. The vdso of aarch64 has had no call frame information there since Linux 5.8; musl's
 * C library and Go have none either.
 */
bool trampoline_is_at(const struct signal_trampoline *trampoline, const struct module *module,
                      uint64_t vaddr);
