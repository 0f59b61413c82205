/* Raw frames as keys. */
#pragma once

#include "base/hash.h"
#include "lprofd/stack.h"

static inline uint64_t raw_frame_hash(const struct raw_frame *frame)
{
    return hash_pair(frame->vaddr, (uint64_t)frame->module << 1 | frame->is_return_address);
}

static inline bool raw_frame_equal(const struct raw_frame *first, const struct raw_frame *second)
{
    return first->vaddr == second->vaddr && first->module == second->module &&
           first->is_return_address == second->is_return_address;
}
