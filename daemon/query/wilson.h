/* How far a share that was estimated from samples can be trusted. */
#pragma once

#include <stdint.h>

/*
 * The 95 % score interval of a share (0 to 1) seen in `samples` samples (E. B. Wilson, "Probable
 * inference, the law of succession, and statistical inference", JASA 22, 1927). It stays within 0
 * and 1 and holds for rare lines too. Without samples it is everything: 0 to 1.
 */
void wilson_interval(double share, uint64_t samples, double *ret_low, double *ret_high);
