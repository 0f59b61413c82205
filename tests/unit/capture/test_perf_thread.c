/* The backend perf-thread: whoever is told of a thread is told of its end, too. */
#include "ptrace_target.h"

#define BRIEF_THREADS 100

static void *do_nothing(void *user)
{
    return user;
}

static void create_brief_threads(struct progress *progress)
{
    while (!progress->go)
        sleep_ms(1);
    for (int i = 0; i < BRIEF_THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, do_nothing, NULL) || pthread_join(thread, NULL))
            _exit(1);
    }
    progress->done = 1;
    for (;;)
        pause();
}

struct told {
    unsigned forks, exits;
};

static void count(void *user, const struct record *record)
{
    struct told *told = user;
    told->forks += record->type == RECORD_FORK;
    told->exits += record->type == RECORD_EXIT;
}

static struct capture *open_enabled(pid_t pid)
{
    const struct capture_options options = {
        .pid = pid, .frequency_hz = 997, .stack_bytes = STACK_BYTES, .event = "auto"};
    struct failure failure = {0};
    struct capture *capture = NULL;
    int error = capture_perf_thread.open(&options, &capture, &failure);
    if (error) {
        print_message("%s\n", failure.text);
        if (error == -EPERM || error == -EACCES || error == -ENOSYS)
            skip();
    }
    assert_int_equal(error, 0);
    assert_int_equal(capture_perf_thread.set_enabled(capture, true), 0);
    return capture;
}

/* All of them have ended before the first is heard of: none has ever had an event. */
static void the_end_of_a_thread_that_had_no_event_is_told(void **state)
{
    (void)state;
    struct progress *progress = progress_new();
    pid_t pid = start(create_brief_threads, progress);
    struct capture *capture = open_enabled(pid);
    progress->go = 1;
    while (!progress->done)
        sleep_ms(1);
    sleep_ms(10); /* records settle */
    struct told told = {0};
    assert_int_equal(capture_perf_thread.drain(capture, false, count, &told), 0);
    capture_perf_thread.close(capture);
    end(pid, progress);
    assert_int_equal(told.forks, BRIEF_THREADS);
    assert_int_equal(told.exits, BRIEF_THREADS);
}

int main(void)
{
    if (UNDER_TSAN)
        return not_under_tsan();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_thread_that_had_no_event_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
