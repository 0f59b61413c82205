/*
 * floor PID HZ STACK_BYTES: opens the events that lprofd opens, reads the records and throws them
 * away, until stdin ends. What this costs the target is the least that sampling can cost it.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/capture.h"

static void count(void *user, const struct record *record)
{
    uint64_t *counts = user;
    if (record->type == RECORD_SAMPLE)
        counts[0]++;
    else if (record->type == RECORD_LOST)
        counts[1] += record->lost_count;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    struct capture_options options = {
        .pid = atoi(argv[1]),
        .frequency_hz = (uint32_t)atoi(argv[2]),
        .stack_bytes = (uint32_t)atoi(argv[3]),
        .event = "auto",
    };
    struct capture *capture = NULL;
    struct failure failure = {0};
    const char *reason = NULL;
    if (capture_open("perf-cpu", &options, &capture, &reason, &failure) ||
        capture->ops->set_enabled(capture, true))
        return 1;
    printf("ready\n");
    fflush(stdout);
    uint64_t counts[2] = {0};
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&input, 1, 0) == 0) {
        capture->ops->wait(capture, 100000000);
        capture->ops->drain(capture, false, count, counts);
    }
    capture->ops->set_enabled(capture, false);
    capture->ops->drain(capture, true, count, counts);
    printf("{\"samples\":%lu,\"lost\":%lu}\n", (unsigned long)counts[0], (unsigned long)counts[1]);
    capture->ops->close(capture);
    return 0;
}
