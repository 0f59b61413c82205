/* Puts the records of several rings into one time order: a k-way merge in place. */
#include "capture/record_order.h"

#include <errno.h>

#include "capture/perf_record.h"

/* The time of the ring's next record; UINT64_MAX when it is empty. */
static uint64_t next_time(struct perf_ring *ring)
{
    const void *bytes;
    size_t length;
    return perf_ring_peek(ring, &bytes, &length) ? perf_record_time(bytes, length) : UINT64_MAX;
}

/* Drains one ring for as long as its records are not younger than `until_ns`. */
static void drain_ring(struct perf_ring *ring, uint64_t until_ns, uint64_t weight_ns,
                       record_fn *on_record, void *user, uint64_t *malformed)
{
    const void *bytes;
    size_t length;
    while (perf_ring_peek(ring, &bytes, &length) && perf_record_time(bytes, length) <= until_ns) {
        struct record record;
        int error = perf_record_decode(&architecture_own, bytes, length, weight_ns, &record);
        if (!error)
            on_record(user, &record);
        else if (error == -EINVAL)
            ++*malformed;
        perf_ring_advance(ring, length);
    }
}

void record_order_drain(struct perf_ring *rings, size_t count, uint64_t until_ns,
                        uint64_t weight_ns, record_fn *on_record, void *user, uint64_t *malformed)
{
    for (size_t i = 0; i < count; i++)
        perf_ring_refresh(&rings[i]);

    for (;;) {
        /* The oldest ring runs on its own until the second oldest's turn. */
        uint64_t oldest = UINT64_MAX, second = UINT64_MAX;
        struct perf_ring *ring = NULL;
        for (size_t i = 0; i < count; i++) {
            uint64_t time = next_time(&rings[i]);
            if (time < oldest) {
                second = oldest;
                oldest = time;
                ring = &rings[i];
            } else if (time < second) {
                second = time;
            }
        }
        if (!ring || oldest > until_ns)
            return;
        drain_ring(ring, second < until_ns ? second : until_ns, weight_ns, on_record, user,
                   malformed);
    }
}
