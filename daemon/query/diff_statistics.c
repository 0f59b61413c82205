/* Whether two shares that were estimated from samples differ by more than chance. */
#include "query/diff_statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "query/wilson.h"

#define EXPECTED_MIN 5.0
/* Tables as probable as the observed one count, whatever rounding says (as R's fisher.test). */
#define FISHER_TOLERANCE (1 + 1e-7)

/* A two-by-two table by its margins: `hits` of `all` samples are the row's, `a` samples are a's. */
struct table {
    double hits, all, a;
    double observed; /* the row's hits that are a's */
};

static struct table make_table(struct diff_share a, struct diff_share b, bool whole)
{
    double a_samples = (double)a.samples, b_samples = (double)b.samples;
    double a_hits = a.share * a_samples, b_hits = b.share * b_samples;
    if (whole) {
        a_hits = round(a_hits);
        b_hits = round(b_hits);
    }
    return (struct table){a_hits + b_hits, a_samples + b_samples, a_samples, a_hits};
}

static double smallest_expected(const struct table *table)
{
    double hits = fmin(table->hits, table->all - table->hits);
    return hits * fmin(table->a, table->all - table->a) / table->all;
}

static double z_test(const struct table *table)
{
    double b = table->all - table->a, pooled = table->hits / table->all;
    double error = sqrt(pooled * (1 - pooled) * (1 / table->a + 1 / b));
    double delta = (table->hits - table->observed) / b - table->observed / table->a;
    return erfc(fabs(delta) / error / sqrt(2));
}

/*
 * The same table with rows and columns swapped so that its first cell has the smallest expected
 * count: that is below EXPECTED_MIN, so few tables have a probability that a number can hold.
 */
static struct table turn(struct table table)
{
    if (table.hits > table.all - table.hits) {
        table.hits = table.all - table.hits;
        table.observed = table.a - table.observed;
    }
    if (table.a > table.all - table.a) {
        table.a = table.all - table.a;
        table.observed = table.hits - table.observed;
    }
    return table;
}

/* P(count + 1) / P(count) of the hypergeometric distribution with the table's margins. */
static double step_up(const struct table *table, double count)
{
    return (table->hits - count) * (table->a - count) /
           ((count + 1) * (table->all - table->a - table->hits + count + 1));
}

/*
 * The sum of all tables' probabilities that are at most `limit`, as multiples of the most probable
 * one's; *ret_observed is the observed table's. What is too small for a number adds nothing.
 */
static double sum_tables(const struct table *table, double limit, double *ret_observed)
{
    double mode = floor((table->hits + 1) * (table->a + 1) / (table->all + 2));
    double sum = 0, observed = 0, probability = 1;
    for (int step = 0; probability > 0; step++) {
        double count = mode + step;
        sum += probability <= limit ? probability : 0;
        observed = count == table->observed ? probability : observed;
        probability *= step_up(table, count);
    }
    probability = 1;
    for (int step = 1; step <= (int)mode && probability > 0; step++) {
        double count = mode - step;
        probability /= step_up(table, count);
        sum += probability <= limit ? probability : 0;
        observed = count == table->observed ? probability : observed;
    }
    *ret_observed = observed;
    return sum;
}

static double fisher_test(struct table table)
{
    table = turn(table);
    double observed, ignored;
    double all = sum_tables(&table, INFINITY, &observed);
    return fmin(1, sum_tables(&table, observed * FISHER_TOLERANCE, &ignored) / all);
}

static void set_interval(struct diff_share a, struct diff_share b, struct diff_evidence *evidence)
{
    double a_low, a_high, b_low, b_high, delta = b.share - a.share;
    wilson_interval(a.share, a.samples, &a_low, &a_high);
    wilson_interval(b.share, b.samples, &b_low, &b_high);
    evidence->low = fmax(-1, delta - hypot(b.share - b_low, a_high - a.share));
    evidence->high = fmin(1, delta + hypot(b_high - b.share, a.share - a_low));
    evidence->delta = delta;
}

struct diff_evidence diff_evidence_of(struct diff_share a, struct diff_share b)
{
    struct diff_evidence evidence = {.p_value = 1, .test = DIFF_TEST_NONE};
    a.share = fmin(fmax(a.share, 0), 1);
    b.share = fmin(fmax(b.share, 0), 1);
    set_interval(a, b, &evidence);
    if (a.samples == 0 || b.samples == 0)
        return evidence;
    struct table table = make_table(a, b, false);
    if (smallest_expected(&table) >= EXPECTED_MIN) {
        evidence.test = DIFF_TEST_Z;
        evidence.p_value = z_test(&table);
    } else {
        evidence.test = DIFF_TEST_FISHER;
        evidence.p_value = fisher_test(make_table(a, b, true));
    }
    return evidence;
}

static int compare_evidence(const void *a, const void *b)
{
    double left = (*(struct diff_row *const *)a)->evidence.p_value;
    double right = (*(struct diff_row *const *)b)->evidence.p_value;
    return (left > right) - (left < right);
}

int diff_evidence_adjust(struct diff_row *rows, size_t count)
{
    _cleanup_free_ struct diff_row **order = malloc((count + 1) * sizeof *order);
    if (!order)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        order[i] = &rows[i];
    qsort(order, count, sizeof(struct diff_row *), compare_evidence);
    double smallest = 1;
    for (size_t i = count; i-- > 0;) {
        struct diff_evidence *evidence = &order[i]->evidence;
        smallest = fmin(smallest, evidence->p_value * (double)count / (double)(i + 1));
        evidence->q_value = smallest;
        evidence->significant = smallest <= DIFF_FALSE_DISCOVERY_RATE;
    }
    return 0;
}
