/* errno as our functions return it. */
#pragma once

#include <errno.h>
#include <stdbool.h>

/* -errno, and never 0 (after systemd's RET_ERRNO): a failure stays one even if errno was lost. */
static inline int negative_errno(void)
{
    int error = 0 - errno; /* a form that clang's analyzer can reason about */
    return error < 0 ? error : -EIO;
}

/* Passes: descriptors are given back, and what is open needs no others. */
static inline bool lacks_descriptors(int error)
{
    return error == -EMFILE || error == -ENFILE;
}
