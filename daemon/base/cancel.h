/* How one thread asks another to give up work that takes long. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct cancel {
    atomic_bool is_wanted;
};

/* Any thread, once for all. */
static inline void cancel_want(struct cancel *cancel)
{
    atomic_store_explicit(&cancel->is_wanted, true, memory_order_relaxed);
}

/* For loops that files make long: they then end with -ECANCELED. NULL is never wanted. */
static inline bool cancel_is_wanted(const struct cancel *cancel)
{
    return cancel && atomic_load_explicit(&cancel->is_wanted, memory_order_relaxed);
}
