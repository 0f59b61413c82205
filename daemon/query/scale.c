/* From sampled time to the CPU time that the kernel accounts. */
#include "query/scale.h"

#define SCALE_MIN 0.5
#define SCALE_MAX 2.0
/* With fewer samples the thread's own ratio is mostly chance (over 14 % standard error). */
#define SCALE_HITS_MIN 50

/* A thread's factor that the remainder of the process decides. */
#define SCALE_SHARED 0.0

static double sane_ratio(double accounted_ns, double sampled_ns)
{
    if (accounted_ns <= 0 || sampled_ns <= 0)
        return 1;
    double ratio = accounted_ns / sampled_ns;
    return ratio >= SCALE_MIN && ratio <= SCALE_MAX ? ratio : 1;
}

static bool scales_alone(const struct profile_thread *thread)
{
    return thread->hits >= SCALE_HITS_MIN && thread->accounted_ns && thread->sampled_ns;
}

void query_scale_threads(const struct profile_view *view, double *ret_scales)
{
    double scaled_ns = 0, rest_ns = 0;
    for (size_t i = 0; i < view->thread_count; i++) {
        const struct profile_thread *thread = &view->threads[i];
        double sampled_ns = (double)thread->sampled_ns;
        ret_scales[i] = SCALE_SHARED;
        if (scales_alone(thread)) {
            ret_scales[i] = sane_ratio((double)thread->accounted_ns, sampled_ns);
            scaled_ns += sampled_ns * ret_scales[i];
        } else {
            rest_ns += sampled_ns;
        }
    }

    double shared = sane_ratio((double)view->accounted_ns - scaled_ns, rest_ns);
    for (size_t i = 0; i < view->thread_count; i++)
        if (ret_scales[i] == SCALE_SHARED)
            ret_scales[i] = shared;
}
