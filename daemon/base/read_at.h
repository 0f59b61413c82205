/* Reads from a file whose owner may truncate it at any time. */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

/* Exactly `length` bytes at `offset`: -EIO when there are fewer, or they cannot be read. */
static inline int read_at(int fd, void *bytes, uint64_t length, uint64_t offset)
{
    for (unsigned char *cursor = bytes; length;) {
        size_t wanted = length > (1 << 30) ? 1 << 30 : (size_t)length;
        ssize_t got = pread(fd, cursor, wanted, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -EIO;
        cursor += got;
        offset += (uint64_t)got;
        length -= (uint64_t)got;
    }
    return 0;
}
