/* From sampled time to the CPU time that the kernel accounts. */
#pragma once

#include "lprofd/profile.h"

/*
 * Fills one factor per thread of the view. A thread with enough samples is scaled to the CPU time
 * that the kernel accounts for it; the others share what then remains of the process's time. A
 * factor outside 0.5 to 2 is not a correction but an error in one of the clocks: 1 is used then.
 */
void query_scale_threads(const struct profile_view *view, double *ret_scales);
