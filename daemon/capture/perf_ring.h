/* The ring buffer that the kernel writes one CPU's records into (perf_event_open(2), "MMAP
 * layout"). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct perf_ring {
    void *pages;           /* owned mapping: control page, then the data */
    size_t data_bytes;     /* a power of two */
    uint64_t head, tail;   /* as last read from and written to the control page */
    unsigned char *bounce; /* owned, 64 KiB: a record that wraps around is put together here */
};

/*
 * Maps a ring of `data_bytes`: a power of two, at least a page. 0; -ENOBUFS where that is more than
 * may be locked (perf_event_open(2): perf_event_mlock_kb, RLIMIT_MEMLOCK); another -errno.
 */
int perf_ring_map(int fd, size_t data_bytes, struct perf_ring *ret_ring);
void perf_ring_unmap(struct perf_ring *ring);

/* Looks at how far the kernel has written; perf_ring_peek() goes no further. */
void perf_ring_refresh(struct perf_ring *ring);

/*
 * Borrows the next record (8-byte aligned, valid until the ring is advanced). False when there is
 * none. A ring whose contents contradict themselves is emptied.
 */
bool perf_ring_peek(struct perf_ring *ring, const void **ret_bytes, size_t *ret_length);

/* Steps over a record of `length` bytes and gives its room back to the kernel. */
void perf_ring_advance(struct perf_ring *ring, size_t length);
