/* Scaled samples and what no sample met add up to the CPU time that the kernel accounts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aggregate/time_scale.h"
#include "base/cleanup.h"

#define MS UINT64_C(1000000)

/* A thread with so many samples of 1 ms and so much CPU time. */
static struct profile_thread thread(uint64_t hits, uint64_t accounted_ms)
{
    return (struct profile_thread){
        .hits = hits, .sampled_ns = hits * MS, .accounted_ns = accounted_ms * MS};
}

static double scaled_ms(const struct time_scale *scale, const struct profile_thread *one)
{
    return (double)one->sampled_ns * time_scale_of_thread(scale, one) / (double)MS;
}

static struct time_scale scale_of(const struct profile_thread *threads, size_t count,
                                  uint64_t accounted_ms)
{
    struct time_scale scale = time_scale_of(threads, count, MS, accounted_ms * MS);
    double sum_ms = (double)scale.unsampled_ns / (double)MS;
    for (size_t i = 0; i < count; i++)
        sum_ms += scaled_ms(&scale, &threads[i]);
    assert_true(fabs(sum_ms - (double)accounted_ms) < 1e-5);
    return scale;
}

#define assert_ms(value, expected) assert_true(fabs((value) - (expected)) < 1e-6)

/* Short bursts begin with the timer's interrupt and are over before the next. */
static void a_thread_in_bursts_has_its_time_though_few_samples_met_it(void **state)
{
    (void)state;
    const struct profile_thread threads[] = {thread(1028, 1030), thread(20, 67)};
    struct time_scale scale = scale_of(threads, array_length(threads), 1097);
    assert_ms(scaled_ms(&scale, &threads[0]), 1030);
    assert_ms(scaled_ms(&scale, &threads[1]), 67);
    assert_int_equal(scale.unsampled_ns, 0);
}

static void small_threads_share_what_the_others_leave_with_those_that_had_no_sample(void **state)
{
    (void)state;
    const struct profile_thread threads[] = {thread(100, 110), thread(3, 1), thread(0, 1),
                                             thread(0, 2), thread(1, 0)};
    struct time_scale scale = scale_of(threads, array_length(threads), 116);
    assert_ms(scaled_ms(&scale, &threads[0]), 110);
    assert_ms(scaled_ms(&scale, &threads[1]), 4.5);
    assert_ms(scaled_ms(&scale, &threads[4]), 1.5);
    assert_int_equal(scale.unsampled_ns, 0);
}

static void time_of_threads_without_samples_is_no_other_threads(void **state)
{
    (void)state;
    const struct profile_thread threads[] = {thread(1000, 1000), thread(2, 2), thread(0, 67)};
    struct time_scale scale = scale_of(threads, array_length(threads), 1069);
    assert_ms(scaled_ms(&scale, &threads[0]), 1000);
    assert_ms(scaled_ms(&scale, &threads[1]), 2);
    assert_int_equal(scale.unsampled_ns, 67 * MS);
}

static void a_sample_stands_for_ten_at_most(void **state)
{
    (void)state;
    const struct profile_thread alone[] = {thread(2, 5000)};
    struct time_scale scale = scale_of(alone, array_length(alone), 5000);
    assert_ms(scaled_ms(&scale, &alone[0]), 20);
    assert_int_equal(scale.unsampled_ns, 4980 * MS);

    const struct profile_thread small[] = {thread(1, 1), thread(0, 49), thread(0, 49)};
    scale = scale_of(small, array_length(small), 99);
    assert_ms(scaled_ms(&scale, &small[0]), 10);
    assert_int_equal(scale.unsampled_ns, 89 * MS);
}

static void threads_with_more_time_than_all_together_are_cut_alike(void **state)
{
    (void)state;
    const struct profile_thread threads[] = {thread(300, 330), thread(60, 60), thread(5, 10)};
    struct time_scale scale = scale_of(threads, array_length(threads), 200);
    assert_ms(scaled_ms(&scale, &threads[0]), 165);
    assert_ms(scaled_ms(&scale, &threads[1]), 30);
    assert_ms(scaled_ms(&scale, &threads[2]), 5);
}

static void samples_keep_their_weight_where_the_kernel_tells_nothing(void **state)
{
    (void)state;
    const struct profile_thread threads[] = {thread(300, 0), thread(3, 0)};
    struct time_scale scale = time_scale_of(threads, array_length(threads), MS, 0);
    assert_ms(scaled_ms(&scale, &threads[0]), 300);
    assert_ms(scaled_ms(&scale, &threads[1]), 3);
    assert_int_equal(scale.unsampled_ns, 0);
    scale = time_scale_of(NULL, 0, MS, 0);
    assert_int_equal(scale.unsampled_ns, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_in_bursts_has_its_time_though_few_samples_met_it),
        cmocka_unit_test(small_threads_share_what_the_others_leave_with_those_that_had_no_sample),
        cmocka_unit_test(time_of_threads_without_samples_is_no_other_threads),
        cmocka_unit_test(a_sample_stands_for_ten_at_most),
        cmocka_unit_test(threads_with_more_time_than_all_together_are_cut_alike),
        cmocka_unit_test(samples_keep_their_weight_where_the_kernel_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
