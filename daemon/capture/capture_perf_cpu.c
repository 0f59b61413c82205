/* Backend perf-cpu: one event per CPU, with a BPF filter that lets only the target's samples pass.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/perf_capture.h"
#include "lprofd/privilege.h"

struct perf_cpu_capture {
    struct perf_capture perf; /* first: what callers see */
    int filter_fd;            /* owned */
    int tgids_fd;             /* owned; the set of followed processes, or -1 */
};

/*
 * Both events of one CPU, in one ring: samples that can be switched off, and side-band records
 * that keep coming. -ENODEV when the CPU is offline.
 */
static int open_cpu(struct perf_cpu_capture *self, int cpu)
{
    struct perf_capture *perf = &self->perf;
    struct perf_event_attr sampling = perf_sampling_attributes(&perf->recipe, false);
    struct perf_event_attr side_band = perf_side_band_attributes(&perf->recipe);
    _cleanup_close_ int sampling_fd = -1, side_band_fd = -1;
    int error = privilege_open_perf_event(&sampling, -1, cpu, &sampling_fd);
    if (!error && ioctl(sampling_fd, PERF_EVENT_IOC_SET_BPF, self->filter_fd) < 0)
        error = -errno;
    if (!error)
        error = privilege_open_perf_event(&side_band, -1, cpu, &side_band_fd);
    if (!error)
        error = perf_capture_add_ring(perf, sampling_fd, perf->recipe.ring_bytes, true);
    if (!error && ioctl(side_band_fd, PERF_EVENT_IOC_SET_OUTPUT, sampling_fd) < 0)
        error = -errno;
    if (!error)
        error = perf_capture_keep_sampling(perf, &sampling_fd);
    return error ? error : perf_capture_keep_other(perf, &side_band_fd);
}

static int fill(struct perf_capture *perf, const struct capture_options *options)
{
    struct perf_cpu_capture *self = (struct perf_cpu_capture *)perf;
    (void)options;
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    for (int cpu = 0; cpu < cpus; cpu++) {
        int error = open_cpu(self, cpu);
        if (error && error != -ENODEV)
            return error;
    }
    return perf->ring_count ? 0 : -ENODEV;
}

static void perf_cpu_close(struct capture *capture)
{
    struct perf_cpu_capture *self = (struct perf_cpu_capture *)capture;
    if (!self)
        return;
    perf_capture_clear(&self->perf);
    close_fd(&self->filter_fd);
    close_fd(&self->tgids_fd);
    free(self);
}

static int load_filter(struct perf_cpu_capture *self, const struct capture_options *options)
{
    if (!options->follow)
        return privilege_load_tgid_filter(options->pid, &self->filter_fd);
    int error = privilege_load_tgid_set_filter(options->pid, &self->tgids_fd, &self->filter_fd);
    return error ? error : privilege_tgid_set_add(self->tgids_fd, options->pid);
}

static int perf_cpu_add_process(struct capture *capture, pid_t pid)
{
    const struct perf_cpu_capture *self = (const struct perf_cpu_capture *)capture;
    return privilege_tgid_set_add(self->tgids_fd, pid);
}

static void perf_cpu_remove_process(struct capture *capture, pid_t pid, pid_t inner_pid)
{
    const struct perf_cpu_capture *self = (const struct perf_cpu_capture *)capture;
    privilege_tgid_set_remove(self->tgids_fd, pid, inner_pid);
}

static int perf_cpu_open(const struct capture_options *options, struct capture **ret_capture,
                         struct failure *ret_failure)
{
    struct perf_cpu_capture *self = calloc(1, sizeof *self);
    if (!self)
        return failure_set(ret_failure, -ENOMEM, "out of memory");
    self->filter_fd = self->tgids_fd = -1;
    self->perf.base = (struct capture){.ops = &capture_perf_cpu, .reports_mappings = true};
    int error = load_filter(self, options);
    if (!error)
        error = perf_capture_fill(&self->perf, options, fill);
    if (error) {
        perf_cpu_close(&self->perf.base);
        return perf_capture_explain(options, error, ret_failure);
    }
    *ret_capture = &self->perf.base;
    return 0;
}

const struct capture_ops capture_perf_cpu = {
    .name = "perf-cpu",
    .open = perf_cpu_open,
    .set_enabled = perf_capture_set_enabled,
    .wait = perf_capture_wait,
    .drain = perf_capture_drain,
    .add_process = perf_cpu_add_process,
    .add_running = perf_cpu_add_process,
    .remove_process = perf_cpu_remove_process,
    .may_reopen = perf_ring_suffices,
    .close = perf_cpu_close,
};
