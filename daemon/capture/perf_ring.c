/* The ring buffer that the kernel writes one CPU's records into. */
#include "capture/perf_ring.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BOUNCE_BYTES 65536

static struct perf_event_mmap_page *control(const struct perf_ring *ring)
{
    return ring->pages;
}

static const unsigned char *data(const struct perf_ring *ring)
{
    return (const unsigned char *)ring->pages + (size_t)sysconf(_SC_PAGESIZE);
}

int perf_ring_map(int fd, size_t data_bytes, struct perf_ring *ret_ring)
{
    struct perf_ring ring = {.data_bytes = data_bytes, .bounce = malloc(BOUNCE_BYTES)};
    if (!ring.bounce)
        return -ENOMEM;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    ring.pages = mmap(NULL, page + data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (ring.pages == MAP_FAILED) {
        /* The event itself was permitted. */
        int error = errno == EPERM || errno == ENOMEM ? -ENOBUFS : -errno;
        free(ring.bounce);
        return error;
    }
    *ret_ring = ring;
    return 0;
}

void perf_ring_unmap(struct perf_ring *ring)
{
    if (ring->pages)
        munmap(ring->pages, (size_t)sysconf(_SC_PAGESIZE) + ring->data_bytes);
    free(ring->bounce);
    *ring = (struct perf_ring){0};
}

void perf_ring_refresh(struct perf_ring *ring)
{
    ring->head = __atomic_load_n(&control(ring)->data_head, __ATOMIC_ACQUIRE);
}

bool perf_ring_peek(struct perf_ring *ring, const void **ret_bytes, size_t *ret_length)
{
    uint64_t left = ring->head - ring->tail;
    if (left < sizeof(struct perf_event_header))
        return false;

    size_t offset = ring->tail & (ring->data_bytes - 1);
    struct perf_event_header header;
    memcpy(&header, data(ring) + offset, sizeof header); /* 8-aligned: a header never wraps */
    if (header.size < sizeof header || header.size > left || header.size % 8) {
        perf_ring_advance(ring, left);
        return false;
    }

    const unsigned char *bytes = data(ring) + offset;
    size_t first = ring->data_bytes - offset;
    if (header.size > first) {
        memcpy(ring->bounce, bytes, first);
        memcpy(ring->bounce + first, data(ring), header.size - first);
        bytes = ring->bounce;
    }
    *ret_bytes = bytes;
    *ret_length = header.size;
    return true;
}

void perf_ring_advance(struct perf_ring *ring, size_t length)
{
    ring->tail += length;
    __atomic_store_n(&control(ring)->data_tail, ring->tail, __ATOMIC_RELEASE);
}
