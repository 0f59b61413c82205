/* From sampled time to the CPU time that the kernel accounts. */
#include "aggregate/time_scale.h"

/* Of a thread that is worth fewer samples, how many it has is mostly chance (over 14 % error). */
#define ALONE_SAMPLES 50
/* More than this many others no sample stands for: what those were spent on is not known. */
#define SCALE_MAX 10.0

static double claim_ns(const struct profile_thread *thread)
{
    return (double)(thread->accounted_ns ? thread->accounted_ns : thread->sampled_ns);
}

static bool is_alone(const struct time_scale *scale, const struct profile_thread *thread)
{
    return thread->accounted_ns && (thread->hits >= ALONE_SAMPLES ||
                                    thread->accounted_ns >= ALONE_SAMPLES * scale->period_ns);
}

static double ratio(double accounted_ns, double sampled_ns)
{
    return accounted_ns < SCALE_MAX * sampled_ns ? accounted_ns / sampled_ns : SCALE_MAX;
}

double time_scale_of_thread(const struct time_scale *scale, const struct profile_thread *thread)
{
    if (!is_alone(scale, thread))
        return scale->shared;
    return ratio((double)thread->accounted_ns * scale->books, (double)thread->sampled_ns);
}

struct time_scale time_scale_of(const struct profile_thread *threads, size_t count,
                                uint64_t period_ns, uint64_t accounted_ns)
{
    struct time_scale scale = {.period_ns = period_ns, .books = 1, .shared = 1};
    double claims_ns = 0, alone_ns = 0, shared_ns = 0, scaled_ns = 0;
    for (size_t i = 0; i < count; i++) {
        claims_ns += claim_ns(&threads[i]);
        if (is_alone(&scale, &threads[i]))
            alone_ns += claim_ns(&threads[i]);
        else
            shared_ns += (double)threads[i].sampled_ns;
    }
    double all_ns = accounted_ns ? (double)accounted_ns : claims_ns;
    if (claims_ns > all_ns)
        scale.books = all_ns / claims_ns;
    if (shared_ns > 0)
        scale.shared = ratio(all_ns - alone_ns * scale.books, shared_ns);

    for (size_t i = 0; i < count; i++)
        scaled_ns += (double)threads[i].sampled_ns * time_scale_of_thread(&scale, &threads[i]);
    if (all_ns > scaled_ns)
        scale.unsampled_ns = (uint64_t)(all_ns - scaled_ns + 0.5);
    return scale;
}
