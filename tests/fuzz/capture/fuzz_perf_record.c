/* Two rings full of arbitrary records: decoded in order, nothing read that is not there. */
#include "fuzz.h"

#include <linux/perf_event.h>
#include <unistd.h>

#include "capture/perf_record.h"
#include "capture/record_order.h"

#define RING_BYTES ((size_t)8192)
#define RINGS 2

static void touch_sample(const struct sample *sample)
{
    fuzz_touch(sample->stack, sample->stack_bytes);
    fuzz_touch(sample->kernel_ips, sample->kernel_ip_count * sizeof *sample->kernel_ips);
}

static void on_record(void *user, const struct record *record)
{
    ++*(size_t *)user;
    if (record->type == RECORD_SAMPLE)
        touch_sample(&record->sample);
    if (record->type == RECORD_MAPPING)
        fuzz_touch(record->mapping.path, strlen(record->mapping.path) + 1);
    if (record->type == RECORD_COMM)
        fuzz_touch(record->comm.name, strlen(record->comm.name) + 1);
}

/* One record of exactly this many bytes. */
static void decode_alone(const uint8_t *bytes, size_t length)
{
    struct record record;
    size_t count = 0;
    if (length < sizeof(struct perf_event_header) || length > UINT16_MAX)
        return;
    unsigned char *copy = malloc(length);
    fuzz_check(copy);
    memcpy(copy, bytes, length);
    ((struct perf_event_header *)copy)->size = (uint16_t)length;
    perf_record_time(copy, length);
    if (perf_record_decode(&architecture_own, copy, length, 1, &record) == 0)
        on_record(&count, &record);
    free(copy);
}

/* As if the kernel had written `bytes` from `start` on, around the end of the ring. */
static void fill(struct perf_ring *ring, uint64_t start, const uint8_t *bytes, size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    ring->data_bytes = RING_BYTES;
    ring->pages = calloc(1, page + RING_BYTES);
    ring->bounce = malloc(65536);
    fuzz_check(ring->pages && ring->bounce);
    struct perf_event_mmap_page *control = ring->pages;
    unsigned char *data = (unsigned char *)ring->pages + page;
    length = (length < RING_BYTES ? length : RING_BYTES) / 8 * 8;
    ring->tail = control->data_tail = start;
    control->data_head = start + length;
    for (size_t i = 0; i < length; i++)
        data[(start + i) % RING_BYTES] = bytes[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    decode_alone(bytes, length);
    if (length < 2)
        return 0;
    struct perf_ring rings[RINGS] = {0};
    uint64_t start = (uint64_t)bytes[0] * 32;
    size_t half = (length - 2) * bytes[1] / 255;
    fill(&rings[0], start, bytes + 2, half);
    fill(&rings[1], RING_BYTES - start, bytes + 2 + half, length - 2 - half);

    size_t records = 0;
    uint64_t malformed = 0;
    struct drain_limits limits = {.until_ns = UINT64_MAX / 2, .deadline_ns = UINT64_MAX};
    record_order_drain(rings, RINGS, limits, 1, on_record, &records, &malformed);
    uint64_t discarded = record_order_discard(rings, RINGS);
    fuzz_check(records + malformed + discarded <= length / sizeof(struct perf_event_header));
    for (size_t i = 0; i < RINGS; i++) {
        fuzz_check(rings[i].tail <= rings[i].head);
        free(rings[i].pages);
        free(rings[i].bounce);
    }
    return 0;
}
