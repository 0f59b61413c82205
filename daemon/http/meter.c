/* A meter of lprofd itself. */
#include "http/meter.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lprofd/privilege.h"

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

uint64_t meter_rss_bytes(void)
{
    _cleanup_close_ int fd = -1;
    if (privilege_open_proc(getpid(), 0, PROC_STAT, &fd))
        return 0;
    char line[1024];
    ssize_t length = read(fd, line, sizeof line - 1);
    if (length <= 0)
        return 0;
    line[length] = '\0';
    /* The name in field 2 may hold anything; rss is field 24, in pages (proc(5)). */
    const char *after_name = strrchr(line, ')');
    unsigned long long pages = 0;
    if (!after_name || sscanf(after_name + 1,
                              " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                              "%*s %*s %*s %*s %*s %llu",
                              &pages) != 1)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
