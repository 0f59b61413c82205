/* Registers of a caller by whatever call frame information says of where its callees left them. */
#pragma once

#include <elfutils/libdw.h>

#include "unwind/walk.h"

/* A register of the caller of `frame`, where walk->registers are. False when it cannot be had. */
bool saved_register(struct walk *walk, Dwarf_Frame *frame, unsigned number, uint64_t cfa,
                    uint64_t *ret_value);

/* The CFA of `frame`, where walk->registers are. False when it cannot be had. */
bool saved_register_cfa(struct walk *walk, Dwarf_Frame *frame, uint64_t *ret_cfa);

/*
 * A register of the frame that the walk has reached which is not followed from frame to frame: few
 * frames need one (glibc's _dl_runtime_resolve_xsavec keeps its CFA in rbx). All callees are asked
 * once, from the leaf on, what they did with it. False when one of them does not tell. `number` is
 * below REGISTER_COUNT.
 */
bool saved_register_since_leaf(struct walk *walk, unsigned number, uint64_t *ret_value);
