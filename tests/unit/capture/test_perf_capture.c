/* What the perf backends have in common: all events are switched, or none is left on; and
 * rings fit into the memory that may be locked. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
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

static void once_that_is_cancelled_none_is_switched_on_but_all_can_be_switched_off(void **state)
{
    (void)state;
    struct cancel cancel = {0};
    struct perf_capture perf = {.cancel = &cancel};
    cancel_want(&cancel);
    fill(&perf, false);
    assert_int_equal(perf_capture_set_enabled(&perf.base, true), -ECANCELED);
    assert_false(counts(perf.sampling_fds[0]));
    perf_capture_clear(&perf);
    fill(&perf, true);
    assert_int_equal(perf_capture_set_enabled(&perf.base, false), -ENOTTY);
    assert_false(counts(perf.sampling_fds[0]));
    assert_false(counts(perf.sampling_fds[2]));
    perf_capture_clear(&perf);
}

static void less_memory_takes_smaller_rings_first_and_then_less_of_each_stack(void **state)
{
    (void)state;
    struct perf_recipe recipe = {.stack_bytes = 16384, .ring_bytes = 512 << 10};
    while (perf_recipe_halve_rings(&recipe))
        assert_int_equal(recipe.stack_bytes, 16384);
    assert_int_equal(recipe.ring_bytes, 64 << 10);
    while (perf_recipe_halve_stacks(&recipe)) {
        assert_true(recipe.ring_bytes >= 3 * recipe.stack_bytes);
        assert_int_equal(recipe.stack_bytes % 8, 0);
        assert_false(perf_recipe_halve_rings(&recipe));
    }
    assert_int_equal(recipe.stack_bytes, 1024);
    assert_true(recipe.ring_bytes <= 8 << 10 || recipe.ring_bytes == (size_t)sysconf(_SC_PAGESIZE));
}

static int fill_with_little_memory(struct perf_capture *perf, const struct capture_options *options)
{
    (void)options;
    return perf->recipe.ring_bytes > 128 << 10 ? -ENOBUFS : 0;
}

static void every_ring_gets_the_same_share_of_little_memory(void **state)
{
    (void)state;
    struct perf_capture perf = {0};
    struct capture_options options = {.frequency_hz = 997, .stack_bytes = 16384, .event = "auto"};
    assert_int_equal(perf_capture_fill(&perf, &options, fill_with_little_memory), 0);
    assert_int_equal(perf.recipe.ring_bytes, 128 << 10);
    assert_int_equal(perf.base.stack_bytes, 16384);
}

static int fill_with_no_memory(struct perf_capture *perf, const struct capture_options *options)
{
    (void)perf;
    (void)options;
    return -ENOBUFS;
}

static void a_lack_of_locked_memory_is_not_taken_for_a_lack_of_rights(void **state)
{
    (void)state;
    struct perf_capture perf = {0};
    struct capture_options options = {.frequency_hz = 997, .stack_bytes = 16384, .event = "auto"};
    struct failure failure = {0};
    int error = perf_capture_fill(&perf, &options, fill_with_no_memory);
    assert_int_equal(error, -ENOBUFS);
    assert_int_equal(perf_capture_explain(&options, error, &failure), -ENOBUFS);
    assert_non_null(strstr(failure.text, "ulimit -l"));
    assert_null(strstr(failure.text, "root"));
    assert_int_equal(failure_exit_code(&failure), 1);
}

static void a_choice_names_what_the_one_before_was_short_of(void **state)
{
    (void)state;
    for (size_t i = 1; i < CAPTURE_CHOICES; i++) {
        assert_non_null(strstr(capture_reason(&capture_choices[i], -EMFILE), "files"));
        assert_non_null(strstr(capture_reason(&capture_choices[i], -ENOBUFS), "locked"));
        assert_non_null(strstr(capture_reason(&capture_choices[i], -EPERM), "refused"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_one_event_cannot_be_switched_on_none_is),
        cmocka_unit_test(when_one_event_cannot_be_switched_off_the_others_are),
        cmocka_unit_test(once_that_is_cancelled_none_is_switched_on_but_all_can_be_switched_off),
        cmocka_unit_test(less_memory_takes_smaller_rings_first_and_then_less_of_each_stack),
        cmocka_unit_test(every_ring_gets_the_same_share_of_little_memory),
        cmocka_unit_test(a_choice_names_what_the_one_before_was_short_of),
        cmocka_unit_test(a_lack_of_locked_memory_is_not_taken_for_a_lack_of_rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
