/* errno as our functions return it. */
#pragma once

#include <errno.h>

/* -errno, and never 0 (after systemd's RET_ERRNO): a failure stays one even if errno was lost. */
static inline int negative_errno(void)
{
    int error = 0 - errno; /* a form that clang's analyzer can reason about */
    return error < 0 ? error : -EIO;
}
