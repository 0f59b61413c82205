/* write(2) until all of it is written. */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "base/negative_errno.h"

/* 0 or -errno; -EIO when nothing more is taken. A part may be written then. */
static inline int write_all(int fd, const void *bytes, size_t length)
{
    for (const char *cursor = bytes; length;) {
        ssize_t put = write(fd, cursor, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? negative_errno() : -EIO;
        cursor += put;
        length -= (size_t)put;
    }
    return 0;
}
