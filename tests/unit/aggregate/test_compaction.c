/* A smaller trie takes the place of a full one: the oldest samples go, the rest stay what they
 * were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "aggregate/compaction.h"

#define BUCKETS 20
#define STACKS 100 /* of each bucket: half are its own, half are everybody's */
#define DEPTH 6

struct fixture {
    struct stack_locations *locations;
    struct stack_trie *trie;
    struct bucket_store *store;
    uint64_t end_ns;
};

static struct raw_frame frame_of(unsigned bucket, unsigned stack, unsigned depth)
{
    unsigned owner = stack < STACKS / 2 ? bucket + 1 : 0;
    uint64_t vaddr = depth < 2 ? (uint64_t)owner << 32 | stack << 8 | depth : depth;
    return (struct raw_frame){.module = 1, .is_return_address = depth > 0, .vaddr = vaddr};
}

static void count_bucket(struct fixture *fixture, unsigned bucket)
{
    for (unsigned stack = 0; stack < STACKS; stack++) {
        struct raw_frame frames[DEPTH];
        uint32_t node = 0;
        for (unsigned depth = 0; depth < DEPTH; depth++)
            frames[depth] = frame_of(bucket, stack, depth);
        assert_int_equal(stack_trie_add(fixture->trie, frames, DEPTH, &node), 0);
        assert_int_equal(bucket_store_count(fixture->store, node, bucket, stack + 1), 0);
    }
    fixture->end_ns += BUCKET_NS;
    assert_int_equal(bucket_store_seal(fixture->store, fixture->end_ns), 0);
}

static struct fixture make(void)
{
    struct fixture fixture = {0};
    assert_int_equal(stack_locations_new(&fixture.locations), 0);
    assert_int_equal(stack_trie_new(fixture.locations, &fixture.trie), 0);
    assert_int_equal(bucket_store_new(SIZE_MAX, &fixture.store), 0);
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++)
        count_bucket(&fixture, bucket);
    return fixture;
}

static void clear(struct fixture *fixture)
{
    bucket_store_free(fixture->store);
    stack_trie_unref(fixture->trie);
    stack_locations_unref(fixture->locations);
}

/* An entry's stack, by its weight, is the one that was counted with it. */
static void assert_is_counted(const struct fixture *fixture, const struct bucket_entry *entry)
{
    unsigned stack = (unsigned)entry->weight_ns - 1;
    uint32_t node = entry->node;
    assert_int_equal(entry->hits, 1);
    for (unsigned depth = 0; depth < DEPTH; depth++) {
        struct trie_node have = stack_trie_node(fixture->trie, node);
        struct raw_frame frame = stack_trie_location(fixture->trie, have.location);
        struct raw_frame wanted = frame_of(entry->thread, stack, depth);
        assert_int_equal(frame.vaddr, wanted.vaddr);
        assert_int_equal(frame.is_return_address, wanted.is_return_address);
        assert_true(have.parent < node);
        node = have.parent;
    }
    assert_int_equal(node, 0);
}

/* All entries are right, in order, and of the newest buckets; returns of how many. */
static size_t check(const struct fixture *fixture, unsigned last)
{
    struct sealed_bucket **buckets = NULL;
    size_t count = 0;
    uint64_t end_ns, knows_since_ns;
    assert_int_equal(
        bucket_store_snapshot(fixture->store, &buckets, &count, &end_ns, &knows_since_ns), 0);
    for (size_t i = 0; i < count; i++) {
        const struct bucket *bucket = &buckets[i]->bucket;
        assert_int_equal(bucket->count, STACKS);
        for (size_t j = 0; j < bucket->count; j++) {
            const struct bucket_entry *entry = &bucket->entries[j];
            assert_int_equal(entry->thread, last + 1 - count + i);
            assert_true(j == 0 || bucket->entries[j - 1].node < entry->node);
            assert_is_counted(fixture, entry);
        }
        bucket_release(buckets[i]);
    }
    assert_int_equal(knows_since_ns, (last + 1 - count) * BUCKET_NS);
    free(buckets);
    return count;
}

static void take(struct fixture *fixture, struct compaction *compaction)
{
    struct stack_trie *smaller = NULL;
    assert_int_equal(compaction_finish(compaction, &smaller), 0);
    stack_trie_unref(fixture->trie);
    fixture->trie = smaller;
    compaction_free(compaction);
}

static void the_oldest_go_until_half_of_the_nodes_do(void **state)
{
    (void)state;
    struct fixture fixture = make();
    uint32_t before = stack_trie_node_count(fixture.trie);
    uint32_t locations = stack_trie_location_count(fixture.trie);
    struct compaction *compaction = NULL;
    assert_int_equal(compaction_start(fixture.trie, fixture.store, &compaction), 0);
    take(&fixture, compaction);
    uint32_t after = stack_trie_node_count(fixture.trie);
    size_t kept = check(&fixture, BUCKETS - 1);
    /* Two nodes of each stack are its own, and no bucket more would fit. */
    assert_true(after <= before / 2 + 1);
    assert_true(after + STACKS > before / 2);
    assert_int_equal(after, before - (BUCKETS - kept) * STACKS);
    assert_int_equal(stack_trie_location_count(fixture.trie), locations);
    assert_int_equal(bucket_store_losses(fixture.store).forgotten_hits, (BUCKETS - kept) * STACKS);
    clear(&fixture);
}

static void what_comes_meanwhile_is_kept(void **state)
{
    (void)state;
    struct fixture fixture = make();
    struct compaction *compaction = NULL;
    assert_int_equal(compaction_start(fixture.trie, fixture.store, &compaction), 0);
    for (unsigned bucket = BUCKETS; bucket < 2 * BUCKETS; bucket++)
        count_bucket(&fixture, bucket);
    take(&fixture, compaction);
    assert_in_range(check(&fixture, 2 * BUCKETS - 1), BUCKETS, 2 * BUCKETS - 1);
    count_bucket(&fixture, 2 * BUCKETS);
    assert_int_equal(bucket_store_losses(fixture.store).forgotten_hits % STACKS, 0);
    check(&fixture, 2 * BUCKETS);
    clear(&fixture);
}

static void stacks_that_went_can_come_back(void **state)
{
    (void)state;
    struct fixture fixture = make();
    struct compaction *compaction = NULL;
    assert_int_equal(compaction_start(fixture.trie, fixture.store, &compaction), 0);
    while (!compaction_is_done(compaction))
        ;
    /* The thread has seen no bucket that has them but the oldest. */
    count_bucket(&fixture, 0);
    take(&fixture, compaction);
    struct sealed_bucket **buckets = NULL;
    size_t count = 0;
    uint64_t end_ns, knows_since_ns;
    assert_int_equal(
        bucket_store_snapshot(fixture.store, &buckets, &count, &end_ns, &knows_since_ns), 0);
    const struct bucket *last = &buckets[count - 1]->bucket;
    assert_int_equal(last->count, STACKS);
    for (size_t j = 0; j < last->count; j++) {
        assert_true(j == 0 || last->entries[j - 1].node < last->entries[j].node);
        assert_is_counted(&fixture, &last->entries[j]);
    }
    for (size_t i = 0; i < count; i++)
        bucket_release(buckets[i]);
    free(buckets);
    clear(&fixture);
}

static void who_holds_the_old_sees_the_old(void **state)
{
    (void)state;
    struct fixture fixture = make();
    struct fixture old = {.trie = stack_trie_ref(fixture.trie)};
    struct sealed_bucket **buckets = NULL;
    size_t count = 0;
    uint64_t end_ns, knows_since_ns;
    assert_int_equal(
        bucket_store_snapshot(fixture.store, &buckets, &count, &end_ns, &knows_since_ns), 0);
    struct compaction *compaction = NULL;
    assert_int_equal(compaction_start(fixture.trie, fixture.store, &compaction), 0);
    take(&fixture, compaction);
    check(&fixture, BUCKETS - 1);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < buckets[i]->bucket.count; j++)
            assert_is_counted(&old, &buckets[i]->bucket.entries[j]);
        bucket_release(buckets[i]);
    }
    free(buckets);
    stack_trie_unref(old.trie);
    clear(&fixture);
}

static void the_newest_bucket_stays_even_where_it_is_too_much(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    assert_int_equal(stack_locations_new(&fixture.locations), 0);
    assert_int_equal(stack_trie_new(fixture.locations, &fixture.trie), 0);
    assert_int_equal(bucket_store_new(SIZE_MAX, &fixture.store), 0);
    count_bucket(&fixture, 0);
    uint32_t before = stack_trie_node_count(fixture.trie);
    struct compaction *compaction = NULL;
    assert_int_equal(compaction_start(fixture.trie, fixture.store, &compaction), 0);
    take(&fixture, compaction);
    assert_int_equal(check(&fixture, 0), 1);
    assert_int_equal(stack_trie_node_count(fixture.trie), before);
    clear(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_go_until_half_of_the_nodes_do),
        cmocka_unit_test(what_comes_meanwhile_is_kept),
        cmocka_unit_test(stacks_that_went_can_come_back),
        cmocka_unit_test(who_holds_the_old_sees_the_old),
        cmocka_unit_test(the_newest_bucket_stays_even_where_it_is_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
