/* What the perf backends have in common: rings, their merging by time, switching on and off. */
#pragma once

#include <poll.h>

#include "capture/capture.h"
#include "capture/exiting_tasks.h"
#include "capture/perf_attributes.h"
#include "capture/perf_ring.h"

/* Every perf backend's object begins with this. */
struct perf_capture {
    struct capture base;
    struct perf_recipe recipe;
    struct perf_ring *rings; /* owned */
    struct pollfd *polls;    /* owned; of each ring's events, or fd -1 */
    size_t ring_count, ring_capacity, poll_capacity;
    int *sampling_fds; /* owned; switched on and off */
    size_t sampling_count, sampling_capacity;
    int *other_fds; /* owned; side-band events and events that only hold a ring */
    size_t other_count, other_capacity;
    pid_t pid;                   /* the target */
    const struct cancel *cancel; /* borrowed */
    struct exiting_tasks exiting;
    bool missed;          /* records may have gone by while events were off: say so first */
    record_fn *on_record; /* of the drain under way */
    void *user;
};

/* All take over the fd on success, and leave it to the caller on failure. 0 or -ENOMEM. */
int perf_capture_keep_sampling(struct perf_capture *perf, int *fd);
int perf_capture_keep_other(struct perf_capture *perf, int *fd);

/* Closes an event that is kept, and with it all that inherited it. */
void perf_capture_close_sampling(struct perf_capture *perf, int fd);

/* Maps a ring for the event `fd`, which is polled if `wake` is set. 0 or -errno. */
int perf_capture_add_ring(struct perf_capture *perf, int fd, size_t ring_bytes, bool wake);

/* Closes everything but the object itself, so that it can be filled again. */
void perf_capture_clear(struct perf_capture *perf);

/* Tries the events that options->event allows until fill() succeeds with one. 0 or -errno. */
typedef int perf_fill_fn(struct perf_capture *perf, const struct capture_options *options);
int perf_capture_fill(struct perf_capture *perf, const struct capture_options *options,
                      perf_fill_fn *fill);

/* The failure of an open in words; returns error. */
int perf_capture_explain(const struct capture_options *options, int error,
                         struct failure *ret_failure);

/* Members of the operation tables. */
int perf_capture_set_enabled(struct capture *capture, bool enabled);
int perf_capture_wait(struct capture *capture, uint64_t timeout_ns);
int perf_capture_drain(struct capture *capture, bool final, record_fn *on_record, void *user);
