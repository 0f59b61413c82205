/* From sampled time to the CPU time that the kernel accounts. */
#pragma once

#include "lprofd/profile.h"

/*
 * What a sample of a thread stands for, in weights. The kernel tells each thread's CPU time, so
 * that its samples only say what it was used for. Threads that were too short to say whether it is
 * chance that they have samples share what the others leave of the time of all.
 */
struct time_scale {
    uint64_t period_ns;    /* nominal weight of a sample */
    double books;          /* below 1: the threads' times are more than the time of all together */
    double shared;         /* of the threads that share */
    uint64_t unsampled_ns; /* the rest: CPU time of threads that (next to) no sample met */
};

/* All samples, scaled, and the rest are `accounted_ns`, unless that is 0: not known. O(threads). */
struct time_scale time_scale_of(const struct profile_thread *threads, size_t count,
                                uint64_t period_ns, uint64_t accounted_ns);

/* The factor for weights of a thread's samples. */
double time_scale_of_thread(const struct time_scale *scale, const struct profile_thread *thread);
