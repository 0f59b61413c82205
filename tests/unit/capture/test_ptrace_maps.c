/* Looks at mappings: every change is told, at a bounded cost. */
#include "../mainless.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/ptrace_maps.h"

#define BYTES 4096

static void *map(const char *path, void *at, int protection)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    void *memory = mmap(at, BYTES, protection, MAP_PRIVATE | (at ? MAP_FIXED : 0), fd, 0);
    assert_true(memory != MAP_FAILED);
    close(fd);
    return memory;
}

static bool is_told(const struct ptrace_maps *maps, const void *memory, const char *path)
{
    char start[32];
    snprintf(start, sizeof start, "%lx-", (unsigned long)(uintptr_t)memory);
    const char *line = strstr(maps->known.bytes, start);
    const char *end = line ? strchr(line, '\n') : NULL;
    const char *found = line ? strstr(line, path) : NULL;
    return end && found && found < end;
}

static void every_change_of_code_is_told_once(void **state)
{
    (void)state;
    char shell[PATH_MAX];
    assert_non_null(realpath("/bin/sh", shell));
    struct ptrace_maps maps = {0};
    assert_int_equal(ptrace_maps_look(&maps, getpid()), 1);
    assert_int_equal(maps.known.length, strlen(maps.known.bytes));
    assert_int_equal(ptrace_maps_look(&maps, getpid()), 0);

    void *memory = map("/proc/self/exe", NULL, PROT_READ | PROT_EXEC);
    assert_int_equal(ptrace_maps_look(&maps, getpid()), 1);
    assert_true(is_told(&maps, memory, "test_ptrace_maps"));
    assert_int_equal(ptrace_maps_look(&maps, getpid()), 0);

    map("/bin/sh", memory, PROT_READ | PROT_EXEC); /* of the same size in the same place */
    assert_int_equal(ptrace_maps_look(&maps, getpid()), 1);
    assert_true(is_told(&maps, memory, shell));

    munmap(memory, BYTES);
    assert_int_equal(ptrace_maps_look(&maps, getpid()), 1);
    assert_false(is_told(&maps, memory, ""));
    ptrace_maps_free(&maps);
}

static void data_is_no_news(void **state)
{
    (void)state;
    struct ptrace_maps maps = {0};
    assert_int_equal(ptrace_maps_look(&maps, getpid()), 1);
    void *memory = map("/proc/self/exe", NULL, PROT_READ);
    assert_int_equal(ptrace_maps_look(&maps, getpid()), 0);
    for (const char *line = maps.known.bytes; *line; line = strchr(line, '\n') + 1)
        assert_int_equal(strchr(line, ' ')[3], 'x');
    munmap(memory, BYTES);
    ptrace_maps_free(&maps);
}

static void what_was_forgotten_is_told_again(void **state)
{
    (void)state;
    struct ptrace_maps maps = {0};
    assert_int_equal(ptrace_maps_look(&maps, getpid()), 1);
    assert_false(ptrace_maps_are_due(&maps, 0));
    ptrace_maps_forget(&maps);
    assert_true(ptrace_maps_are_due(&maps, 0));
    assert_int_equal(ptrace_maps_look(&maps, getpid()), 1);
    ptrace_maps_free(&maps);
}

/* Whatever a look costs here: 5 % of the time, twice that where it varies, and one more. */
static void looks_take_a_small_share_of_a_cpu(void **state)
{
    (void)state;
    struct ptrace_maps maps = {0};
    uint64_t start_ns = clock_monotonic_ns(), now_ns = start_ns, cost_ns = 0, most_ns = 0;
    unsigned looks = 0;
    for (; now_ns < start_ns + NS_PER_SECOND / 2; now_ns = clock_monotonic_ns()) {
        if (!ptrace_maps_are_due(&maps, now_ns))
            continue;
        uint64_t before_ns = clock_thread_cpu_ns();
        assert_true(ptrace_maps_look(&maps, getpid()) >= 0);
        uint64_t look_ns = clock_thread_cpu_ns() - before_ns;
        cost_ns += look_ns;
        most_ns = look_ns > most_ns ? look_ns : most_ns;
        looks++;
    }
    assert_true(looks > 1);
    assert_true(cost_ns <= (now_ns - start_ns) * 10 / 100 + most_ns);
    ptrace_maps_free(&maps);
}

static void code_is_known_after_the_end_of_the_main_thread(void **state)
{
    (void)state;
    struct ptrace_maps maps = {0};
    pid_t tid, pid = mainless_start(NULL, &tid);
    assert_int_equal(ptrace_maps_look(&maps, pid), 1);
    assert_non_null(strstr(maps.known.bytes, "test_ptrace_maps"));
    assert_int_equal(ptrace_maps_look(&maps, pid), 0);
    ptrace_maps_free(&maps);
    mainless_end(pid);
}

static void the_end_of_a_process_is_no_news_of_its_code(void **state)
{
    (void)state;
    struct ptrace_maps maps = {0};
    assert_int_equal(ptrace_maps_look(&maps, getpid()), 1);
    size_t length = maps.known.length;
    pid_t pid = mainless_zombie();
    ptrace_maps_forget(&maps);
    assert_true(ptrace_maps_look(&maps, pid) < 0);
    assert_int_equal(maps.known.length, length);
    ptrace_maps_free(&maps);
    mainless_end(pid);
}

static void a_process_that_is_gone_is_an_error(void **state)
{
    (void)state;
    struct ptrace_maps maps = {0};
    assert_true(ptrace_maps_look(&maps, INT32_MAX) < 0);
    ptrace_maps_free(&maps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_of_code_is_told_once),
        cmocka_unit_test(data_is_no_news),
        cmocka_unit_test(what_was_forgotten_is_told_again),
        cmocka_unit_test(looks_take_a_small_share_of_a_cpu),
        cmocka_unit_test(code_is_known_after_the_end_of_the_main_thread),
        cmocka_unit_test(the_end_of_a_process_is_no_news_of_its_code),
        cmocka_unit_test(a_process_that_is_gone_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
