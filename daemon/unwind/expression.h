/* DWARF expressions as they occur in call frame information (DWARF 5 §2.5 and §6.4.2). */
#pragma once

#include <elfutils/libdw.h>

#include "lprofd/sample.h"

/* Reads 8 bytes of the target's memory at `address`. False when they are not known. */
typedef bool expression_read_fn(const void *user, uint64_t address, uint64_t *ret_value);

struct expression_input {
    const struct registers *registers;
    uint64_t cfa; /* for DW_OP_call_frame_cfa */
    expression_read_fn *read;
    const void *user;
};

enum expression_result {
    EXPRESSION_ADDRESS, /* the value is an address: what is meant is stored there */
    EXPRESSION_VALUE,   /* the value itself is meant (DW_OP_stack_value, DW_OP_regx) */
    EXPRESSION_FAILED,  /* unknown operation, stack underflow, unknown register or memory */
};

enum expression_result expression_evaluate(const Dwarf_Op *ops, size_t count,
                                           const struct expression_input *input,
                                           uint64_t *ret_value);
