/* Backend perf-cpu: one event per CPU, with a BPF filter that lets only the target's samples pass.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/capture.h"
#include "capture/perf_record.h"
#include "capture/perf_ring.h"
#include "capture/record_order.h"
#include "lprofd/privilege.h"

/*
 * A record gets its time stamp before it is published: what is younger than this may still be
 * overtaken by a record of another CPU.
 */
#define SETTLING_NS NS_PER_MS

/*
 * What one sample costs the target, measured on Linux 6.18: the interrupt and the record about
 * 1 us, and copying the stack about 0.1 ns a byte (1.4 to 2.2 us for 16 KiB).
 */
#define SAMPLE_COST_NS 1000
#define STACK_COST_NS(bytes) ((bytes) / 10)

struct capture_perf {
    struct capture base;
    record_fn *on_record; /* of the drain under way */
    void *user;
    struct perf_ring *rings; /* owned; one per online CPU */
    int *sampling_fds;       /* owned; the sampling event of each ring's CPU */
    int *side_band_fds;      /* owned; a dummy event for mappings, threads and names */
    struct pollfd *polls;    /* owned */
    size_t count, ring_capacity, sampling_capacity, side_band_capacity, poll_capacity;
};

struct event_choice {
    const char *name;
    uint32_t type;
    uint64_t config;
    uint32_t precise_ip;
};

/* In the order in which "auto" tries them: the most exact hardware event first. */
static const struct event_choice event_choices[] = {
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 2},
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 1},
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 0},
    {"cpu-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, 0},
    {"task-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, 0},
};

/* What the sampling and the side-band event have in common, so that one decoder serves both. */
static struct perf_event_attr common_attributes(void)
{
    return (struct perf_event_attr){
        .size = sizeof(struct perf_event_attr),
        .sample_type = PERF_RECORD_SAMPLE_TYPE,
        .sample_regs_user = perf_record_registers_mask,
        .sample_id_all = 1,
        .use_clockid = 1,
        .clockid = CLOCK_MONOTONIC,
        .exclude_callchain_user = 1,
        .watermark = 1,
    };
}

static struct perf_event_attr sampling_attributes(const struct event_choice *choice,
                                                  const struct capture_options *options,
                                                  size_t ring_bytes)
{
    struct perf_event_attr attributes = common_attributes();
    attributes.type = choice->type;
    attributes.config = choice->config;
    attributes.precise_ip = choice->precise_ip;
    attributes.freq = 1;
    attributes.sample_freq = options->frequency_hz;
    attributes.sample_stack_user = options->stack_bytes;
    attributes.disabled = 1;
    attributes.wakeup_watermark = (uint32_t)(ring_bytes / 4);
    return attributes;
}

static struct perf_event_attr side_band_attributes(const struct capture_options *options)
{
    struct perf_event_attr attributes = common_attributes();
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_DUMMY;
    attributes.sample_stack_user = options->stack_bytes;
    attributes.mmap = 1;
    attributes.mmap2 = 1;
    attributes.comm = 1;
    attributes.comm_exec = 1;
    attributes.task = 1;
    return attributes;
}

/* Room for about 100 ms of samples, so that a daemon that is kept waiting loses none. */
static size_t ring_bytes_for(const struct capture_options *options)
{
    uint64_t wanted = (uint64_t)options->frequency_hz * (options->stack_bytes + 1024) / 10;
    size_t bytes = 512 << 10;
    while (bytes < wanted && bytes < (size_t)16 << 20)
        bytes *= 2;
    return bytes;
}

static int reserve_cpu(struct capture_perf *perf)
{
    size_t want = perf->count + 1;
    if (array_reserve(&perf->rings, &perf->ring_capacity, want, sizeof *perf->rings) ||
        array_reserve(&perf->sampling_fds, &perf->sampling_capacity, want, sizeof(int)) ||
        array_reserve(&perf->side_band_fds, &perf->side_band_capacity, want, sizeof(int)) ||
        array_reserve(&perf->polls, &perf->poll_capacity, want, sizeof *perf->polls))
        return -ENOMEM;
    return 0;
}

/* Opens both events of one CPU into one ring. -ENODEV when the CPU is offline. */
static int open_cpu(struct capture_perf *perf, int cpu, int filter_fd,
                    const struct event_choice *choice, const struct capture_options *options)
{
    size_t ring_bytes = ring_bytes_for(options);
    struct perf_event_attr sampling = sampling_attributes(choice, options, ring_bytes);
    struct perf_event_attr side_band = side_band_attributes(options);
    _cleanup_close_ int sampling_fd = -1, side_band_fd = -1;
    struct perf_ring ring = {0};

    int error = reserve_cpu(perf);
    if (!error)
        error = privilege_open_perf_event(&sampling, -1, cpu, &sampling_fd);
    if (!error && ioctl(sampling_fd, PERF_EVENT_IOC_SET_BPF, filter_fd) < 0)
        error = -errno;
    if (!error)
        error = perf_ring_map(sampling_fd, ring_bytes, &ring);
    if (!error)
        error = privilege_open_perf_event(&side_band, -1, cpu, &side_band_fd);
    if (!error && ioctl(side_band_fd, PERF_EVENT_IOC_SET_OUTPUT, sampling_fd) < 0)
        error = -errno;
    if (error) {
        perf_ring_unmap(&ring);
        return error;
    }

    perf->rings[perf->count] = ring;
    perf->polls[perf->count] = (struct pollfd){.fd = sampling_fd, .events = POLLIN};
    perf->sampling_fds[perf->count] = take_fd(&sampling_fd);
    perf->side_band_fds[perf->count] = take_fd(&side_band_fd);
    perf->count++;
    return 0;
}

static void close_cpus(struct capture_perf *perf)
{
    for (size_t i = 0; i < perf->count; i++) {
        perf_ring_unmap(&perf->rings[i]);
        close(perf->sampling_fds[i]);
        close(perf->side_band_fds[i]);
    }
    perf->count = 0;
}

static int open_cpus(struct capture_perf *perf, int filter_fd, const struct event_choice *choice,
                     const struct capture_options *options)
{
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    for (int cpu = 0; cpu < cpus; cpu++) {
        int error = open_cpu(perf, cpu, filter_fd, choice, options);
        if (error && error != -ENODEV) {
            close_cpus(perf);
            return error;
        }
    }
    return perf->count ? 0 : -ENODEV;
}

static void perf_close(struct capture *capture)
{
    struct capture_perf *perf = (struct capture_perf *)capture;
    if (!perf)
        return;
    close_cpus(perf);
    free(perf->rings);
    free(perf->sampling_fds);
    free(perf->side_band_fds);
    free(perf->polls);
    free(perf);
}

static int choose_event(struct capture_perf *perf, int filter_fd,
                        const struct capture_options *options)
{
    bool automatic = strcmp(options->event, "auto") == 0;
    int error = -ENOTSUP;
    for (size_t i = 0; i < array_length(event_choices); i++) {
        const struct event_choice *choice = &event_choices[i];
        if (!automatic && strcmp(options->event, choice->name) != 0)
            continue;
        error = open_cpus(perf, filter_fd, choice, options);
        if (!error) {
            perf->base.event = choice->name;
            return 0;
        }
        if (error == -EPERM || error == -EACCES || error == -EMFILE)
            return error;
    }
    return error;
}

static int explain(const struct capture_options *options, int error, struct failure *failure)
{
    if (error == -EPERM || error == -EACCES)
        return failure_set(failure, error,
                           "perf events for process %d were refused: run lprofd as root or with "
                           "CAP_PERFMON and CAP_BPF (`lprof doctor` tells more)",
                           options->pid);
    if (error == -EMFILE)
        return failure_set(failure, error,
                           "too many open files for two perf events per CPU: raise `ulimit -n`");
    return failure_set(failure, error,
                       "event %s cannot be sampled on this machine (%s): use --event auto",
                       options->event, strerror(-error));
}

static int perf_open(const struct capture_options *options, struct capture **ret_capture,
                     struct failure *ret_failure)
{
    _cleanup_close_ int filter_fd = -1;
    int error = privilege_load_tgid_filter(options->pid, &filter_fd);
    if (error)
        return explain(options, error, ret_failure);

    struct capture_perf *perf = calloc(1, sizeof *perf);
    if (!perf)
        return failure_set(ret_failure, -ENOMEM, "out of memory");
    perf->base.ops = &capture_perf_cpu;
    perf->base.period_ns = NS_PER_SECOND / options->frequency_hz;
    perf->base.reports_mappings = true;
    error = choose_event(perf, filter_fd, options);
    if (error) {
        perf_close(&perf->base);
        return explain(options, error, ret_failure);
    }
    *ret_capture = &perf->base;
    return 0;
}

static int perf_set_enabled(struct capture *capture, bool enabled)
{
    struct capture_perf *perf = (struct capture_perf *)capture;
    unsigned long request = enabled ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE;
    for (size_t i = 0; i < perf->count; i++)
        if (ioctl(perf->sampling_fds[i], request, 0) < 0)
            return -errno;
    return 0;
}

static int perf_wait(struct capture *capture, uint64_t timeout_ns)
{
    struct capture_perf *perf = (struct capture_perf *)capture;
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / NS_PER_SECOND),
                               .tv_nsec = (long)(timeout_ns % NS_PER_SECOND)};
    return ppoll(perf->polls, perf->count, &timeout, NULL) < 0 && errno != EINTR ? -errno : 0;
}

static void pass_on(void *user, const struct record *record)
{
    struct capture_perf *perf = user;
    if (record->type == RECORD_SAMPLE)
        perf->base.target_cost_ns += SAMPLE_COST_NS + STACK_COST_NS(record->sample.stack_bytes);
    perf->on_record(perf->user, record);
}

static int perf_drain(struct capture *capture, bool final, record_fn *on_record, void *user)
{
    struct capture_perf *perf = (struct capture_perf *)capture;
    perf->on_record = on_record;
    perf->user = user;
    uint64_t until_ns = final ? UINT64_MAX - 1 : clock_monotonic_ns() - SETTLING_NS;
    uint64_t malformed = 0;
    record_order_drain(perf->rings, perf->count, until_ns, perf->base.period_ns, pass_on, perf,
                       &malformed);
    if (malformed) {
        /* Nothing goes missing unsaid: what could not be decoded counts as lost. */
        struct record lost = {
            .type = RECORD_LOST, .time_ns = clock_monotonic_ns(), .lost_count = malformed};
        on_record(user, &lost);
    }
    return 0;
}

const struct capture_ops capture_perf_cpu = {
    .name = "perf-cpu",
    .open = perf_open,
    .set_enabled = perf_set_enabled,
    .wait = perf_wait,
    .drain = perf_drain,
    .close = perf_close,
};
