/* A meter of lprofd itself. */
#include "http/meter.h"

#include "base/clock.h"

#define WINDOW_NS NS_PER_SECOND

void meter_init(struct meter *meter)
{
    *meter = (struct meter){.at_ns = clock_monotonic_ns(), .cpu_ns = clock_process_cpu_ns()};
    pthread_mutex_init(&meter->lock, NULL);
}

void meter_free(struct meter *meter)
{
    pthread_mutex_destroy(&meter->lock);
}

double meter_cpu_percent(struct meter *meter)
{
    pthread_mutex_lock(&meter->lock);
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t cpu_ns = clock_process_cpu_ns();
    if (now_ns - meter->at_ns >= WINDOW_NS) {
        meter->cpu_percent =
            100.0 * (double)(cpu_ns - meter->cpu_ns) / (double)(now_ns - meter->at_ns);
        meter->at_ns = now_ns;
        meter->cpu_ns = cpu_ns;
    }
    double percent = meter->cpu_percent;
    pthread_mutex_unlock(&meter->lock);
    return percent;
}
