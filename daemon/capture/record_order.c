/* Puts the records of several rings into one time order: a k-way merge in place. */
#include "capture/record_order.h"

#include <errno.h>

#include "base/clock.h"
#include "capture/perf_record.h"

/* The time of the ring's next record; UINT64_MAX when it is empty. */
static uint64_t next_time(struct perf_ring *ring)
{
    const void *bytes;
    size_t length;
    return perf_ring_peek(ring, &bytes, &length) ? perf_record_time(bytes, length) : UINT64_MAX;
}

/* Drains one ring for as long as the limits allow. False when the deadline has come. */
static bool drain_ring(struct perf_ring *ring, struct drain_limits limits, uint64_t weight_ns,
                       record_fn *on_record, void *user, uint64_t *malformed)
{
    const void *bytes;
    size_t length;
    while (perf_ring_peek(ring, &bytes, &length) &&
           perf_record_time(bytes, length) <= limits.until_ns) {
        struct record record;
        int error = perf_record_decode(&architecture_own, bytes, length, weight_ns, &record);
        if (!error)
            on_record(user, &record);
        else if (error == -EINVAL)
            ++*malformed;
        perf_ring_advance(ring, length);
        if (clock_monotonic_ns() >= limits.deadline_ns)
            return false;
    }
    return true;
}

/* The ring whose next record is the oldest, or NULL, and when the next of another one is due. */
static struct perf_ring *find_oldest(struct perf_ring *rings, size_t count, uint64_t *ret_oldest_ns,
                                     uint64_t *ret_second_ns)
{
    struct perf_ring *ring = NULL;
    *ret_oldest_ns = *ret_second_ns = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        uint64_t time_ns = next_time(&rings[i]);
        if (time_ns < *ret_oldest_ns) {
            *ret_second_ns = *ret_oldest_ns;
            *ret_oldest_ns = time_ns;
            ring = &rings[i];
        } else if (time_ns < *ret_second_ns) {
            *ret_second_ns = time_ns;
        }
    }
    return ring;
}

uint64_t record_order_drain(struct perf_ring *rings, size_t count, struct drain_limits limits,
                            uint64_t weight_ns, record_fn *on_record, void *user,
                            uint64_t *malformed)
{
    for (size_t i = 0; i < count; i++)
        perf_ring_refresh(&rings[i]);

    for (bool in_time = true;;) {
        uint64_t oldest_ns, second_ns;
        struct perf_ring *ring = find_oldest(rings, count, &oldest_ns, &second_ns);
        if (!ring || oldest_ns > limits.until_ns)
            return 0;
        if (!in_time)
            return oldest_ns;
        /* The oldest ring runs on its own until the second oldest's turn. */
        struct drain_limits own = limits;
        if (second_ns < limits.until_ns)
            own.until_ns = second_ns;
        in_time = drain_ring(ring, own, weight_ns, on_record, user, malformed);
    }
}

uint64_t record_order_discard(struct perf_ring *rings, size_t count)
{
    uint64_t discarded = 0;
    const void *bytes;
    size_t length;
    for (size_t i = 0; i < count; i++) {
        for (; perf_ring_peek(&rings[i], &bytes, &length); discarded++)
            perf_ring_advance(&rings[i], length);
    }
    return discarded;
}
