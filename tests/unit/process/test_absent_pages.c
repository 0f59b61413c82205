/* Pages that nobody has touched are brought into memory: of anonymous memory, and of no file. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/absent_pages.h"

#define PAGES 4

/* proc_pid_pagemap(5): bit 63 of a page's 8 bytes. */
static bool is_present(const void *address)
{
    uint64_t entry = 0;
    off_t offset = (off_t)((uintptr_t)address / (uintptr_t)sysconf(_SC_PAGESIZE) * sizeof entry);
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &entry, sizeof entry, offset), sizeof entry);
    close(fd);
    return entry >> 63;
}

static char *map_pages(int fd)
{
    size_t bytes = PAGES * (size_t)sysconf(_SC_PAGESIZE);
    int flags = MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0);
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    assert_true(memory != MAP_FAILED);
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    return memory;
}

static void all_pages_of_a_range_are_brought(void **state)
{
    (void)state;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct absent_pages pages = {0};
    char *memory = map_pages(-1);
    uint64_t start = (uint64_t)(uintptr_t)memory;
    absent_pages_note(&pages, getpid(), start + page, start + 2 * page + 1);
    absent_pages_note(&pages, getpid(), start + page, start + 2 * page + 1);
    assert_int_equal(pages.count, 1);
    assert_false(is_present(memory + page));
    absent_pages_fetch(&pages);
    assert_int_equal(pages.count, 0);
    assert_false(is_present(memory));
    assert_true(is_present(memory + page));
    assert_true(is_present(memory + 2 * page));
    assert_false(is_present(memory + 3 * page));
    munmap(memory, PAGES * page);
}

static void pages_of_files_are_left_alone(void **state)
{
    (void)state;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct absent_pages pages = {0};
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), (off_t)(PAGES * page)), 0);
    char *memory = map_pages(fileno(file));
    uint64_t start = (uint64_t)(uintptr_t)memory;
    absent_pages_note(&pages, getpid(), start, start + PAGES * page);
    absent_pages_fetch(&pages);
    assert_false(is_present(memory));
    munmap(memory, PAGES * page);
    fclose(file);
}

static void what_does_not_fit_or_is_gone_is_passed_over(void **state)
{
    (void)state;
    struct absent_pages pages = {0};
    for (uint64_t i = 0; i < ABSENT_RANGES_MAX + 8; i++)
        absent_pages_note(&pages, i % 2 ? -1 : getpid(), i * 4096, (i + 1) * 4096);
    absent_pages_note(&pages, getpid(), UINT64_MAX - 1, 1);
    assert_int_equal(pages.count, ABSENT_RANGES_MAX);
    absent_pages_fetch(&pages);
    assert_int_equal(pages.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pages_of_a_range_are_brought),
        cmocka_unit_test(pages_of_files_are_left_alone),
        cmocka_unit_test(what_does_not_fit_or_is_gone_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
