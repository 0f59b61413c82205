/* Nested ranges become disjoint ones, whatever the input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "symbol/range_map.h"

static void innermost_range_wins(void **state)
{
    (void)state;
    struct range ranges[] = {
        {.start = 20, .end = 30, .value = 2, .order = 2},
        {.start = 0, .end = 100, .value = 0, .order = 0},
        {.start = 10, .end = 50, .value = 1, .order = 1},
        {.start = 50, .end = 60, .value = 3, .order = 3},
    };
    _cleanup_(range_map_free) struct range_map map = {0};
    assert_int_equal(range_map_build(ranges, array_length(ranges), &map), 0);
    const struct {
        uint64_t vaddr;
        uint32_t value;
    } expected[] = {{0, 0},  {9, 0},  {10, 1}, {19, 1}, {20, 2}, {29, 2},          {30, 1},
                    {49, 1}, {50, 3}, {59, 3}, {60, 0}, {99, 0}, {100, RANGE_NONE}};
    for (size_t i = 0; i < array_length(expected); i++)
        assert_int_equal(range_map_find(&map, expected[i].vaddr), expected[i].value);
}

static void last_start_wins_when_ordered_by_start(void **state)
{
    (void)state;
    struct range ranges[] = {
        {.start = 10, .end = 20, .value = 1, .order = 0},
        {.start = 0, .end = 15, .value = 0, .order = 7},
        {.start = 10, .end = 12, .value = 2, .order = 3},
    };
    _cleanup_(range_map_free) struct range_map map = {0};
    ranges_order_by_start(ranges, array_length(ranges));
    assert_int_equal(range_map_build(ranges, array_length(ranges), &map), 0);
    assert_int_equal(range_map_find(&map, 9), 0);
    assert_int_equal(range_map_find(&map, 11), 2);
    assert_int_equal(range_map_find(&map, 12), 1);
    assert_int_equal(range_map_find(&map, 19), 1);
    assert_int_equal(range_map_find(&map, 20), RANGE_NONE);
}

static void higher_order_wins_at_the_same_start(void **state)
{
    (void)state;
    struct range ranges[] = {
        {.start = 8, .end = 16, .value = 7, .order = 9},
        {.start = 8, .end = 24, .value = 6, .order = 1},
    };
    _cleanup_(range_map_free) struct range_map map = {0};
    assert_int_equal(range_map_build(ranges, array_length(ranges), &map), 0);
    assert_int_equal(range_map_find(&map, 8), 7);
    assert_int_equal(range_map_find(&map, 15), 7);
    assert_int_equal(range_map_find(&map, 16), 6);
    assert_int_equal(range_map_find(&map, 7), RANGE_NONE);
    assert_int_equal(range_map_start(&map, 7), 0);
    assert_int_equal(range_map_start(&map, 15), 8);
    assert_int_equal(range_map_start(&map, 23), 16);
    assert_int_equal(range_map_start(&map, 99), 24);
}

static void empty_and_inverted_ranges_mean_nothing(void **state)
{
    (void)state;
    struct range ranges[] = {
        {.start = 5, .end = 5, .value = 1},
        {.start = 9, .end = 3, .value = 2},
        {.start = UINT64_MAX, .end = 0, .value = 3},
    };
    _cleanup_(range_map_free) struct range_map map = {0};
    assert_int_equal(range_map_build(ranges, array_length(ranges), &map), 0);
    assert_int_equal(range_map_find(&map, 5), RANGE_NONE);
    assert_int_equal(range_map_find(&map, UINT64_MAX), RANGE_NONE);
}

/* What the map must say, in the simplest way. */
static uint32_t naive_find(const struct range *ranges, size_t count, uint64_t vaddr)
{
    const struct range *found = NULL;
    for (size_t i = 0; i < count; i++)
        if (ranges[i].start <= vaddr && vaddr < ranges[i].end &&
            (!found || ranges[i].order > found->order))
            found = &ranges[i];
    return found ? found->value : RANGE_NONE;
}

static void overlapping_ranges_agree_with_a_linear_search(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (int round = 0; round < 300; round++) {
        struct range ranges[24];
        for (size_t i = 0; i < array_length(ranges); i++) {
            uint64_t start = hash_u64(++seed) % 60;
            ranges[i] = (struct range){.start = start,
                                       .end = start + hash_u64(++seed) % 20,
                                       .value = (uint32_t)i,
                                       .order = (uint32_t)i};
        }
        _cleanup_(range_map_free) struct range_map map = {0};
        assert_int_equal(range_map_build(ranges, array_length(ranges), &map), 0);
        for (uint64_t vaddr = 0; vaddr < 90; vaddr++)
            assert_int_equal(range_map_find(&map, vaddr),
                             naive_find(ranges, array_length(ranges), vaddr));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(innermost_range_wins),
        cmocka_unit_test(last_start_wins_when_ordered_by_start),
        cmocka_unit_test(higher_order_wins_at_the_same_start),
        cmocka_unit_test(empty_and_inverted_ranges_mean_nothing),
        cmocka_unit_test(overlapping_ranges_agree_with_a_linear_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
