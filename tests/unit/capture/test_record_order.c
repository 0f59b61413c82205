/* Records of several rings come in one time order, and a wrapped record comes whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/perf_event.h>

#include "capture/record_order.h"

#define DATA_BYTES 4096
#define ALL until(UINT64_MAX - 1)

static struct drain_limits until(uint64_t time_ns)
{
    return (struct drain_limits){.until_ns = time_ns, .deadline_ns = UINT64_MAX};
}

/* A ring in our own memory: what the kernel would have mapped. */
static struct perf_ring new_ring(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct perf_ring ring = {.data_bytes = DATA_BYTES, .bounce = malloc(65536)};
    ring.pages = calloc(1, page + DATA_BYTES);
    assert_non_null(ring.pages);
    assert_non_null(ring.bounce);
    return ring;
}

static void free_ring(struct perf_ring *ring)
{
    free(ring->pages);
    free(ring->bounce);
}

static struct perf_event_mmap_page *control(struct perf_ring *ring)
{
    return ring->pages;
}

/* Appends an exit record of thread `tid` at `time_ns`, wrapping around as the kernel does. */
static void append(struct perf_ring *ring, uint32_t tid, uint64_t time_ns)
{
    struct {
        struct perf_event_header header;
        uint32_t pid, ppid, tid, ptid;
        uint64_t time;
        uint32_t by_pid, by_tid;
        uint64_t by_time, by_event;
        uint32_t cpu, reserved;
    } record = {
        .header = {PERF_RECORD_EXIT, 0, sizeof record},
        .pid = 1,
        .tid = tid,
        .by_time = time_ns,
    };
    unsigned char *data = (unsigned char *)ring->pages + sysconf(_SC_PAGESIZE);
    uint64_t head = control(ring)->data_head;
    for (size_t i = 0; i < sizeof record; i++)
        data[(head + i) % DATA_BYTES] = ((unsigned char *)&record)[i];
    control(ring)->data_head = head + sizeof record;
}

struct seen {
    pid_t tids[256];
    uint64_t times[256];
    size_t count;
};

static void see(void *user, const struct record *record)
{
    struct seen *seen = user;
    seen->tids[seen->count] = record->tid;
    seen->times[seen->count++] = record->time_ns;
}

static void records_of_all_rings_come_in_time_order(void **state)
{
    (void)state;
    struct perf_ring rings[] = {new_ring(), new_ring(), new_ring()};
    append(&rings[0], 1, 10);
    append(&rings[0], 4, 40);
    append(&rings[1], 2, 20);
    append(&rings[1], 3, 30);
    append(&rings[1], 5, 50);
    struct seen seen = {0};
    uint64_t malformed = 0;
    record_order_drain(rings, 3, ALL, 1, see, &seen, &malformed);
    assert_int_equal(seen.count, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(seen.tids[i], i + 1);
    assert_int_equal(malformed, 0);
    for (int i = 0; i < 3; i++)
        free_ring(&rings[i]);
}

static void records_that_may_still_be_overtaken_stay(void **state)
{
    (void)state;
    struct perf_ring rings[] = {new_ring(), new_ring()};
    append(&rings[0], 1, 10);
    append(&rings[0], 3, 30);
    struct seen seen = {0};
    uint64_t malformed = 0;
    record_order_drain(rings, 2, until(25), 1, see, &seen, &malformed);
    assert_int_equal(seen.count, 1);
    append(&rings[1], 2, 20); /* comes late, but not too late */
    record_order_drain(rings, 2, until(35), 1, see, &seen, &malformed);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.tids[1], 2);
    assert_int_equal(seen.tids[2], 3);
    free_ring(&rings[0]);
    free_ring(&rings[1]);
}

static void wrapped_records_come_whole_and_room_is_given_back(void **state)
{
    (void)state;
    struct perf_ring ring = new_ring();
    struct seen seen = {0};
    uint64_t malformed = 0;
    for (uint32_t i = 0; i < 250; i++) { /* three times around */
        append(&ring, i, i + 1);
        record_order_drain(&ring, 1, ALL, 1, see, &seen, &malformed);
        assert_int_equal(control(&ring)->data_tail, control(&ring)->data_head);
    }
    assert_int_equal(seen.count, 250);
    for (uint32_t i = 0; i < 250; i++)
        assert_int_equal(seen.times[i], i + 1);
    free_ring(&ring);
}

static void a_record_longer_than_what_was_written_empties_the_ring(void **state)
{
    (void)state;
    struct perf_ring ring = new_ring();
    struct seen seen = {0};
    uint64_t malformed = 0;
    append(&ring, 1, 10);
    struct perf_event_header *header =
        (void *)((unsigned char *)ring.pages + sysconf(_SC_PAGESIZE));
    header->size = 60000;
    record_order_drain(&ring, 1, ALL, 1, see, &seen, &malformed);
    assert_int_equal(seen.count, 0);
    assert_int_equal(control(&ring)->data_tail, control(&ring)->data_head);
    free_ring(&ring);
}

/* One takes longer than there is time for. */
static void what_a_deadline_leaves_is_of_the_next_drain(void **state)
{
    (void)state;
    struct perf_ring rings[] = {new_ring(), new_ring()};
    append(&rings[0], 1, 10);
    append(&rings[1], 2, 20);
    append(&rings[0], 3, 30);
    struct seen seen = {0};
    uint64_t malformed = 0;
    struct drain_limits limits = {.until_ns = 25, .deadline_ns = 0};
    assert_int_equal(record_order_drain(rings, 2, limits, 1, see, &seen, &malformed), 20);
    assert_int_equal(seen.count, 1);
    assert_int_equal(record_order_drain(rings, 2, limits, 1, see, &seen, &malformed), 0);
    assert_int_equal(seen.count, 2);
    assert_int_equal(record_order_drain(rings, 2, ALL, 1, see, &seen, &malformed), 0);
    assert_int_equal(seen.count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(seen.tids[i], i + 1);
    free_ring(&rings[0]);
    free_ring(&rings[1]);
}

static void what_is_discarded_is_counted(void **state)
{
    (void)state;
    struct perf_ring rings[] = {new_ring(), new_ring()};
    for (uint32_t i = 1; i < 30; i++)
        append(&rings[i % 2], i, i);
    struct seen seen = {0};
    uint64_t malformed = 0;
    struct drain_limits limits = {.until_ns = UINT64_MAX - 1, .deadline_ns = 0};
    record_order_drain(rings, 2, limits, 1, see, &seen, &malformed);
    assert_int_equal(record_order_discard(rings, 2), 29 - seen.count);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(control(&rings[i])->data_tail, control(&rings[i])->data_head);
        free_ring(&rings[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_all_rings_come_in_time_order),
        cmocka_unit_test(records_that_may_still_be_overtaken_stay),
        cmocka_unit_test(wrapped_records_come_whole_and_room_is_given_back),
        cmocka_unit_test(what_a_deadline_leaves_is_of_the_next_drain),
        cmocka_unit_test(what_is_discarded_is_counted),
        cmocka_unit_test(a_record_longer_than_what_was_written_empties_the_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
