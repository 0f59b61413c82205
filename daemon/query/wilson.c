/* How far a share that was estimated from samples can be trusted. */
#include "query/wilson.h"

#include <math.h>

/* The 97.5th percentile of the normal distribution. */
#define WILSON_Z 1.959963984540054

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

void wilson_interval(double share, uint64_t samples, double *ret_low, double *ret_high)
{
    if (samples == 0) {
        *ret_low = 0;
        *ret_high = 1;
        return;
    }
    double n = (double)samples;
    double p = clamp(share, 0, 1);
    double z2n = WILSON_Z * WILSON_Z / n;
    double centre = (p + z2n / 2) / (1 + z2n);
    double half = sqrt((p * (1 - p) + z2n / 4) * z2n) / (1 + z2n);

    /* Rounding must not push a bound past the share itself: 0 of n starts at exactly 0. */
    *ret_low = clamp(centre - half, 0, p);
    *ret_high = clamp(centre + half, p, 1);
}
