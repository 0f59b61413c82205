/* The queue between the tracer and its reader: what does not fit is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture/ptrace_queue.h"

struct seen {
    unsigned exits, losses;
    uint64_t lost;
};

static void see(void *user, const struct record *record)
{
    struct seen *seen = user;
    seen->exits += record->type == RECORD_EXIT;
    if (record->type == RECORD_LOST) {
        seen->losses++;
        seen->lost += record->lost_count;
    }
}

static void see_maps(void *user, const struct record *record)
{
    assert_int_equal(record->type, RECORD_MAPS);
    strncat(user, record->maps, 63 - strlen(user));
}

static void texts_come_out_as_they_went_in(void **state)
{
    (void)state;
    char text[64] = "1-2 r-xp\n", seen[64] = "";
    const struct record maps = {.type = RECORD_MAPS, .maps = text};
    struct record_queue queue;
    assert_int_equal(record_queue_init(&queue), 0);
    record_queue_add(&queue, &maps);
    text[0] = '0'; /* the queue has a copy of its own */
    record_queue_add(&queue, &maps);
    record_queue_drain(&queue, see_maps, seen);
    assert_string_equal(seen, "1-2 r-xp\n0-2 r-xp\n");
    record_queue_destroy(&queue);
}

static void losses_are_told_even_when_nothing_follows(void **state)
{
    (void)state;
    const struct record ended = {.type = RECORD_EXIT, .time_ns = 1};
    const struct record too_large = {
        .type = RECORD_SAMPLE,
        .time_ns = 2,
        .sample = {.stack = (const void *)"", .stack_bytes = SIZE_MAX}, /* and not looked at */
    };
    struct record_queue queue;
    struct seen seen = {0};
    assert_int_equal(record_queue_init(&queue), 0);
    record_queue_add(&queue, &ended);
    record_queue_add(&queue, &too_large);
    record_queue_add(&queue, &too_large);
    record_queue_drain(&queue, see, &seen);
    assert_int_equal(seen.exits, 1);
    assert_int_equal(seen.losses, 1);
    assert_int_equal(seen.lost, 2);
    record_queue_add(&queue, &ended);
    record_queue_drain(&queue, see, &seen);
    assert_int_equal(seen.exits, 2);
    assert_int_equal(seen.lost, 2);
    record_queue_destroy(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_out_as_they_went_in),
        cmocka_unit_test(losses_are_told_even_when_nothing_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
