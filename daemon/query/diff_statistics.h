/* Whether two shares that were estimated from samples differ by more than chance. */
#pragma once

#include "lprofd/diff.h"

/* A share (0 to 1) of `samples` samples: as count of its samples stands share * samples. */
struct diff_share {
    double share;
    uint64_t samples;
};

/*
 * The evidence for b's share being another than a's: the difference b - a, its interval and the
 * test; q_value and significant stay unset. Without samples on a side nothing is tested: p is 1.
 *
 * The interval is Newcombe's hybrid score interval at 95 %, from the Wilson bounds of both shares
 * (R. G. Newcombe, "Interval estimation for the difference between independent proportions:
 * comparison of eleven methods", Statistics in Medicine 17, 1998, method 10).
 *
 * The test is the two-sided z test with pooled variance and without continuity correction (A.
 * Agresti, "Categorical Data Analysis", 3rd edition, section 3.2.1) where the table's smallest
 * expected count is at least 5 (Cochran's rule, section 3.2.3 there), else Fisher's exact test
 * (section 3.5.1): two-sided, the sum of all tables that are no more probable than this one, with
 * counts rounded to whole samples. Both take samples as independent of each other.
 * O(1).
 */
struct diff_evidence diff_evidence_of(struct diff_share a, struct diff_share b);

/*
 * The q values of rows that were tested together (Y. Benjamini and Y. Hochberg, "Controlling the
 * false discovery rate", JRSS B 57, 1995): q is the smallest false discovery rate at which the row
 * is called significant. Fills q_value and significant: q at most DIFF_FALSE_DISCOVERY_RATE.
 * 0 or -ENOMEM. O(rows log rows).
 */
int diff_evidence_adjust(struct diff_row *rows, size_t count);
