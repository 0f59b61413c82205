/* What the perf backends have in common: all events are switched, or none is left on. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/perf_capture.h"
#include "lprofd/privilege.h"

#define EVENTS 3

/* The one in the middle is no event: whatever is asked of it fails. */
static void fill(struct perf_capture *perf, bool enabled)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof attributes,
        .config = PERF_COUNT_SW_TASK_CLOCK,
        .disabled = !enabled,
        .exclude_kernel = 1,
    };
    for (int i = 0; i < EVENTS; i++) {
        int fd = -1;
        if (i == 1)
            fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        else if (privilege_open_perf_event(&attributes, 0, -1, &fd))
            skip();
        assert_true(fd >= 0);
        assert_int_equal(perf_capture_keep_sampling(perf, &fd), 0);
    }
}

static uint64_t count_of(int fd)
{
    uint64_t count = 0;
    assert_int_equal(read(fd, &count, sizeof count), sizeof count);
    return count;
}

static bool counts(int fd)
{
    uint64_t before = count_of(fd);
    for (volatile int i = 0; i < 1000000; i++)
        ;
    return count_of(fd) != before;
}

static void when_one_event_cannot_be_switched_on_none_is(void **state)
{
    (void)state;
    struct perf_capture perf = {0};
    fill(&perf, false);
    assert_int_equal(perf_capture_set_enabled(&perf.base, true), -ENOTTY);
    assert_false(counts(perf.sampling_fds[0]));
    assert_false(counts(perf.sampling_fds[2]));
    perf_capture_clear(&perf);
}

static void when_one_event_cannot_be_switched_off_the_others_are(void **state)
{
    (void)state;
    struct perf_capture perf = {0};
    fill(&perf, true);
    assert_true(counts(perf.sampling_fds[0]));
    assert_true(counts(perf.sampling_fds[2]));
    assert_int_equal(perf_capture_set_enabled(&perf.base, false), -ENOTTY);
    assert_false(counts(perf.sampling_fds[0]));
    assert_false(counts(perf.sampling_fds[2]));
    perf_capture_clear(&perf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_one_event_cannot_be_switched_on_none_is),
        cmocka_unit_test(when_one_event_cannot_be_switched_off_the_others_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
