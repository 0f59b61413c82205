/* Time buckets: nothing is lost by sealing and coarsening, and forgetting is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "aggregate/buckets.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define PLENTY ((size_t)64 << 20)

static struct bucket_store *new_store(size_t limit_bytes)
{
    struct bucket_store *store = NULL;
    assert_int_equal(bucket_store_new(limit_bytes, &store), 0);
    return store;
}

struct snapshot {
    struct sealed_bucket **buckets;
    size_t count;
    uint64_t end_ns, knows_since_ns, hits;
};

static struct snapshot take(struct bucket_store *store)
{
    struct snapshot snapshot = {0};
    assert_int_equal(bucket_store_snapshot(store, &snapshot.buckets, &snapshot.count,
                                           &snapshot.end_ns, &snapshot.knows_since_ns),
                     0);
    for (size_t i = 0; i < snapshot.count; i++)
        for (size_t j = 0; j < snapshot.buckets[i]->bucket.count; j++)
            snapshot.hits += snapshot.buckets[i]->bucket.entries[j].hits;
    return snapshot;
}

static void give_back(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++)
        bucket_release(snapshot->buckets[i]);
    free(snapshot->buckets);
}

static void equal_samples_of_a_bucket_are_one_entry(void **state)
{
    (void)state;
    struct bucket_store *store = new_store(PLENTY);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bucket_store_count(store, 5, 1, 1000), 0);
    assert_int_equal(bucket_store_count(store, 4, 1, 1000), 0);
    assert_int_equal(bucket_store_count(store, 5, 0, 1000), 0);
    assert_int_equal(bucket_store_seal(store, BUCKET_NS), 0);

    struct snapshot snapshot = take(store);
    assert_int_equal(snapshot.count, 1);
    const struct bucket *bucket = &snapshot.buckets[0]->bucket;
    assert_int_equal(bucket->start_ns, 0);
    assert_int_equal(bucket->end_ns, BUCKET_NS);
    assert_int_equal(bucket->count, 3);
    assert_int_equal(bucket->entries[0].node, 4); /* sorted by node, then thread */
    assert_int_equal(bucket->entries[1].thread, 0);
    assert_int_equal(bucket->entries[2].hits, 3);
    assert_int_equal(bucket->entries[2].weight_ns, 3000);
    give_back(&snapshot);
    bucket_store_free(store);
}

static void samples_of_the_open_bucket_are_not_seen_yet(void **state)
{
    (void)state;
    struct bucket_store *store = new_store(PLENTY);
    assert_int_equal(bucket_store_count(store, 1, 0, 1), 0);
    struct snapshot snapshot = take(store);
    assert_int_equal(snapshot.hits, 0);
    give_back(&snapshot);
    bucket_store_free(store);
}

static void a_snapshot_outlives_the_store(void **state)
{
    (void)state;
    struct bucket_store *store = new_store(PLENTY);
    assert_int_equal(bucket_store_count(store, 1, 0, 1), 0);
    assert_int_equal(bucket_store_seal(store, BUCKET_NS), 0);
    struct snapshot snapshot = take(store);
    bucket_store_free(store);
    assert_int_equal(snapshot.buckets[0]->bucket.entries[0].hits, 1);
    give_back(&snapshot);
}

/* A simulated day of one sample every bucket. */
static uint64_t fill(struct bucket_store *store, uint64_t seconds)
{
    uint64_t count = seconds * NS_PER_SECOND / BUCKET_NS;
    for (uint64_t i = 0; i < count; i++) {
        assert_int_equal(bucket_store_count(store, (uint32_t)(1 + i % 50), 0, 1), 0);
        assert_int_equal(bucket_store_seal(store, (i + 1) * BUCKET_NS), 0);
    }
    return count;
}

static void old_buckets_become_coarser_and_keep_their_sums(void **state)
{
    (void)state;
    struct bucket_store *store = new_store(PLENTY);
    uint64_t count = fill(store, 3600);
    struct snapshot snapshot = take(store);
    assert_int_equal(snapshot.hits, count);
    assert_int_equal(snapshot.knows_since_ns, 0);
    assert_int_equal(bucket_store_losses(store).coarse_ns, 0); /* as wide as age asks for */
    assert_true(snapshot.count < count / 10);
    for (size_t i = 1; i < snapshot.count; i++)
        assert_true(snapshot.buckets[i - 1]->bucket.end_ns <= snapshot.buckets[i]->bucket.start_ns);
    give_back(&snapshot);
    bucket_store_free(store);
}

static void past_its_limit_the_store_forgets_the_oldest_and_says_so(void **state)
{
    (void)state;
    enum { LIMIT_BYTES = 8192 };
    struct bucket_store *store = new_store(LIMIT_BYTES);
    for (uint32_t i = 0; i < 5000; i++) {
        assert_int_equal(bucket_store_count(store, i, 0, 1), 0); /* never the same stack */
        assert_int_equal(bucket_store_seal(store, (i + 1) * BUCKET_NS), 0);
    }
    struct snapshot snapshot = take(store);
    assert_true(bucket_store_bytes(store) <= LIMIT_BYTES);
    assert_true(snapshot.knows_since_ns > 0);
    assert_true(snapshot.buckets[0]->bucket.start_ns >= snapshot.knows_since_ns);
    assert_int_equal(snapshot.end_ns, 5000 * BUCKET_NS);
    struct bucket_losses losses = bucket_store_losses(store);
    assert_int_equal(losses.knows_since_ns, snapshot.knows_since_ns);
    assert_int_equal(losses.forgotten_hits + snapshot.hits, 5000);
    give_back(&snapshot);
    bucket_store_free(store);
}

static void what_is_old_becomes_coarser_before_anything_is_forgotten(void **state)
{
    (void)state;
    enum { SECONDS = 120, STACKS = 50 };
    struct bucket_store *store = new_store(PLENTY);
    uint64_t hits = 0;
    for (uint64_t i = 0; i < SECONDS * 10; i++) {
        for (uint32_t stack = 0; stack < STACKS; stack++, hits++)
            assert_int_equal(bucket_store_count(store, stack, 0, 1), 0);
        assert_int_equal(bucket_store_seal(store, (i + 1) * BUCKET_NS), 0);
    }
    /* The last minute alone is 720 kB; the one before, in seconds, a tenth of that. */
    size_t limits[] = {bucket_store_bytes(store) - 20000, bucket_store_bytes(store) / 2};
    for (size_t i = 0; i < array_length(limits); i++) {
        bucket_store_limit(store, limits[i]);
        assert_int_equal(bucket_store_seal(store, SECONDS * 10 * BUCKET_NS + i + 1), 0);
        assert_true(bucket_store_bytes(store) <= limits[i]);
        struct snapshot snapshot = take(store);
        struct bucket_losses losses = bucket_store_losses(store);
        assert_true(losses.coarse_ns > 10 * BUCKET_NS);
        assert_int_equal(losses.knows_since_ns > 0, i == 1);
        assert_int_equal(losses.forgotten_hits + snapshot.hits, hits);
        give_back(&snapshot);
    }
    bucket_store_free(store);
}

static void hits_are_not_merged_beyond_what_their_type_holds(void **state)
{
    (void)state;
    const uint32_t hits[] = {UINT32_MAX - 1, 5, 7};
    struct bucket_store *store = new_store(PLENTY);
    for (uint64_t i = 0; i < array_length(hits); i++) {
        struct bucket bucket = {
            .start_ns = i * BUCKET_NS, .end_ns = (i + 1) * BUCKET_NS, .count = 1};
        struct bucket_entry entry = {.node = 1, .hits = hits[i], .weight_ns = 1};
        assert_int_equal(bucket_store_append(store, &bucket, &entry), 0);
    }
    assert_int_equal(bucket_store_seal(store, 120 * NS_PER_SECOND), 0);
    struct snapshot snapshot = take(store);
    assert_int_equal(snapshot.count, 2);
    assert_int_equal(snapshot.hits, UINT64_C(11) + UINT32_MAX);
    give_back(&snapshot);
    bucket_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_samples_of_a_bucket_are_one_entry),
        cmocka_unit_test(samples_of_the_open_bucket_are_not_seen_yet),
        cmocka_unit_test(a_snapshot_outlives_the_store),
        cmocka_unit_test(old_buckets_become_coarser_and_keep_their_sums),
        cmocka_unit_test(past_its_limit_the_store_forgets_the_oldest_and_says_so),
        cmocka_unit_test(what_is_old_becomes_coarser_before_anything_is_forgotten),
        cmocka_unit_test(hits_are_not_merged_beyond_what_their_type_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
