/* Kernel time: 64 KB through a pipe, over and over. */
#include "target.h"

#define BLOCK_BYTES 65536

static char block[BLOCK_BYTES];

static OPAQUE ssize_t fill(int fd)
{
    ssize_t done = write(fd, block, sizeof block); /* known: write */
    BARRIER(done);
    return done;
}

static OPAQUE ssize_t drain(int fd)
{
    ssize_t done = read(fd, block, sizeof block); /* known: read */
    BARRIER(done);
    return done;
}

int main(int argc, char **argv)
{
    int ends[2];
    if (pipe(ends) < 0)
        return 1;
    target_start(argc, argv);
    while (fill(ends[1]) > 0 && drain(ends[0]) > 0)
        continue;
    return 1;
}
