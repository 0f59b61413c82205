/* The threads of a process, and giving up while they are attached to. */
#include "ptrace_target.h"

#include "capture/ptrace_refusal.h"
#include "capture/target_threads.h"

struct visit {
    unsigned count, cancel_at;
    pid_t tids[THREADS_MAX];
    struct cancel cancel;
};

static int visit(void *user, pid_t tid)
{
    struct visit *visit = user;
    assert_true(visit->count < THREADS_MAX);
    visit->tids[visit->count++] = tid;
    if (visit->count == visit->cancel_at)
        cancel_want(&visit->cancel);
    return -ESRCH; /* it has ended meanwhile: the others are still there */
}

static bool is_visited(const struct visit *visit, pid_t tid)
{
    for (unsigned i = 0; i < visit->count; i++)
        if (visit->tids[i] == tid)
            return true;
    return false;
}

static void all_threads_are_listed(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start_four_threads(progress);
    struct visit seen = {0};
    assert_int_equal(target_threads_each(pid, &seen.cancel, visit, &seen), 0);
    assert_int_equal(seen.count, 4);
    for (int i = 0; i < 4; i++)
        assert_true(is_visited(&seen, progress->tids[i]));
    end(pid, progress);
}

static void none_is_attached_to_once_that_is_cancelled(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start_four_threads(progress);
    struct visit seen = {.cancel_at = 2};
    assert_int_equal(target_threads_each(pid, &seen.cancel, visit, &seen), -ECANCELED);
    assert_int_equal(seen.count, 2);
    end(pid, progress);
}

static void a_cancelled_tracer_leaves_nothing_traced(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start_four_threads(progress);
    struct cancel cancel = {0};
    struct capture_options options = {.pid = pid,
                                      .frequency_hz = 100,
                                      .stack_bytes = STACK_BYTES,
                                      .event = "auto",
                                      .cancel = &cancel};
    struct failure failure = {0};
    struct capture *capture = NULL;
    cancel_want(&cancel);
    assert_int_equal(capture_ptrace.open(&options, &capture, &failure), -ECANCELED);
    assert_null(capture);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ptrace_tracer_of(pid, progress->tids[i]), 0);
        assert_true(makes_progress(progress, i));
    }
    end(pid, progress);
}

int main(void)
{
    if (UNDER_TSAN)
        return not_under_tsan();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_threads_are_listed),
        cmocka_unit_test(none_is_attached_to_once_that_is_cancelled),
        cmocka_unit_test(a_cancelled_tracer_leaves_nothing_traced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
