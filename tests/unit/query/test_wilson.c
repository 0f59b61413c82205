/* Wilson's interval, against R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
 */
#include "fixture.h"
#include "query/wilson.h"

static void assert_interval(double hits, uint64_t samples, double want_low, double want_high)
{
    double low, high;
    wilson_interval(hits / (double)samples, samples, &low, &high);
    assert_near(low, want_low, 0.00005);
    assert_near(high, want_high, 0.00005);
}

static void published_intervals_are_met(void **state)
{
    (void)state;
    assert_interval(81, 263, 0.2553, 0.3662);
    assert_interval(15, 148, 0.0624, 0.1605);
    assert_interval(0, 20, 0, 0.1611);
    assert_interval(1, 29, 0.0061, 0.1718);
}

static void bounds_stay_within_zero_and_one(void **state)
{
    (void)state;
    double low, high;
    wilson_interval(0, 7, &low, &high);
    assert_true(low == 0 && high > 0 && high < 1);
    wilson_interval(1, 7, &low, &high);
    assert_true(high == 1 && low > 0 && low < 1);
}

static void nothing_is_known_without_samples(void **state)
{
    (void)state;
    double low, high;
    wilson_interval(0, 0, &low, &high);
    assert_true(low == 0 && high == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_intervals_are_met),
        cmocka_unit_test(bounds_stay_within_zero_and_one),
        cmocka_unit_test(nothing_is_known_without_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
