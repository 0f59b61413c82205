/*
 * Whether two shares differ, against scipy 1.10.1 (chi2_contingency without correction, which is
 * the pooled z test squared; fisher_exact), statsmodels 0.13.5 (multipletests), and R. G. Newcombe,
 * Statistics in Medicine 17 (1998), table II, method 10.
 */
#include "fixture.h"
#include "query/diff_statistics.h"

static struct diff_evidence evidence(uint64_t a_hits, uint64_t a_samples, uint64_t b_hits,
                                     uint64_t b_samples)
{
    return diff_evidence_of((struct diff_share){(double)a_hits / (double)a_samples, a_samples},
                            (struct diff_share){(double)b_hits / (double)b_samples, b_samples});
}

/* The tables of the literature are about a - b. */
static void assert_interval(struct diff_evidence found, double a_minus_b_low, double a_minus_b_high)
{
    assert_near(found.low, -a_minus_b_high, 0.00005);
    assert_near(found.high, -a_minus_b_low, 0.00005);
}

static void published_intervals_of_differences_are_met(void **state)
{
    (void)state;
    assert_interval(evidence(56, 70, 48, 80), 0.0524, 0.3339);
    assert_interval(evidence(9, 10, 3, 10), 0.1705, 0.8090);
    assert_interval(evidence(6, 7, 2, 7), 0.0582, 0.8062);
    assert_interval(evidence(5, 56, 0, 29), -0.0381, 0.1926);
    assert_interval(evidence(0, 10, 0, 20), -0.1611, 0.2775);
    assert_interval(evidence(0, 10, 0, 10), -0.2775, 0.2775);
    assert_interval(evidence(10, 10, 0, 20), 0.6791, 1);
    assert_interval(evidence(10, 10, 0, 10), 0.6075, 1);
}

static void assert_test(struct diff_evidence found, enum diff_test test, double p_value)
{
    assert_int_equal(found.test, test);
    assert_near(found.p_value, p_value, 1e-9 * p_value);
}

static void many_samples_are_tested_by_z(void **state)
{
    (void)state;
    assert_test(evidence(56, 70, 48, 80), DIFF_TEST_Z, 0.008045081368196585);
    assert_test(evidence(129, 136, 70, 82), DIFF_TEST_Z, 0.016143293778635635);
    assert_test(evidence(15, 100, 30, 120), DIFF_TEST_Z, 0.06710788204818727);
    assert_test(evidence(500, 10000, 560, 10000), DIFF_TEST_Z, 0.05825780603351626);
}

static void small_counts_are_tested_exactly(void **state)
{
    (void)state;
    assert_test(evidence(3, 4, 1, 4), DIFF_TEST_FISHER, 0.48571428571428565);
    assert_test(evidence(1, 11, 9, 12), DIFF_TEST_FISHER, 0.0027594561852200836);
    assert_test(evidence(0, 1000, 5, 1000), DIFF_TEST_FISHER, 0.0621875785163488);
    assert_test(evidence(2, 10000, 0, 50), DIFF_TEST_FISHER, 1);
    assert_test(evidence(1, 30, 4, 900), DIFF_TEST_FISHER, 0.15151995862319373);
    assert_test(evidence(7, 7, 2, 7), DIFF_TEST_FISHER, 0.02097902097902098);
    assert_test(evidence(0, 1000000, 4, 1000), DIFF_TEST_FISHER, 9.900508046864253e-13);
    assert_test(evidence(0, 10, 0, 10), DIFF_TEST_FISHER, 1);
}

static void sides_can_be_swapped(void **state)
{
    (void)state;
    for (uint64_t hits = 0; hits <= 40; hits += 5) {
        struct diff_evidence there = evidence(hits, 40, 7, 300);
        struct diff_evidence back = evidence(7, 300, hits, 40);
        assert_near(there.delta, -back.delta, 1e-12);
        assert_near(there.low, -back.high, 1e-12);
        assert_near(there.high, -back.low, 1e-12);
        assert_near(there.p_value, back.p_value, 1e-9 * back.p_value);
        assert_int_equal(there.test, back.test);
    }
}

/* Numbers of any size give numbers that mean something. */
static void extremes_give_probabilities(void **state)
{
    (void)state;
    static const uint64_t samples[] = {1, 2, 1000, UINT64_C(1000000000000), UINT64_MAX};
    static const double shares[] = {-1, 0, 1e-15, 0.5, 1 - 1e-15, 1, 2};
    for (size_t i = 0; i < array_length(samples); i++)
        for (size_t j = 0; j < array_length(samples); j++)
            for (size_t k = 0; k < array_length(shares) * array_length(shares); k++) {
                struct diff_share a = {shares[k % array_length(shares)], samples[i]};
                struct diff_share b = {shares[k / array_length(shares)], samples[j]};
                struct diff_evidence found = diff_evidence_of(a, b);
                assert_true(found.p_value >= 0 && found.p_value <= 1);
                assert_true(found.low >= -1 && found.low <= found.delta);
                assert_true(found.delta <= found.high && found.high <= 1);
            }
}

static void nothing_is_tested_without_samples(void **state)
{
    (void)state;
    struct diff_evidence found =
        diff_evidence_of((struct diff_share){0, 0}, (struct diff_share){0.5, 100});
    assert_int_equal(found.test, DIFF_TEST_NONE);
    assert_true(found.p_value == 1);
    assert_true(found.low <= -0.5 && found.high >= 0.5);
}

/* The p values of Benjamini and Hochberg's own example (section 3.2), in another order. */
static void many_rows_are_corrected_for(void **state)
{
    (void)state;
    static const double p_values[] = {0.4262, 0.0001, 0.5719, 0.0459, 0.0019, 0.7590, 0.0201, 1,
                                      0.0278, 0.0095, 0.0298, 0.6528, 0.0344, 0.0004, 0.3240};
    static const double q_values[] = {0.58118182, 0.0015,     0.714875, 0.0765,     0.0095,
                                      0.81321429, 0.0603,     1,        0.06385714, 0.035625,
                                      0.06385714, 0.75323077, 0.0645,   0.003,      0.486};
    struct diff_row rows[array_length(p_values)] = {0};
    for (size_t i = 0; i < array_length(rows); i++)
        rows[i].evidence.p_value = p_values[i];
    assert_int_equal(diff_evidence_adjust(rows, array_length(rows)), 0);
    for (size_t i = 0; i < array_length(rows); i++) {
        assert_near(rows[i].evidence.q_value, q_values[i], 1e-8);
        assert_int_equal(rows[i].evidence.significant, p_values[i] <= 0.0095);
    }
    assert_int_equal(diff_evidence_adjust(NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_intervals_of_differences_are_met),
        cmocka_unit_test(many_samples_are_tested_by_z),
        cmocka_unit_test(small_counts_are_tested_exactly),
        cmocka_unit_test(sides_can_be_swapped),
        cmocka_unit_test(extremes_give_probabilities),
        cmocka_unit_test(nothing_is_tested_without_samples),
        cmocka_unit_test(many_rows_are_corrected_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
