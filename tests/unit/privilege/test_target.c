/* Who a target is, what is read of it, and the ptrace requests on it. */
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <time.h>

#include "lprofd/architecture.h"
#include "lprofd/privilege.h"

static void a_target_has_the_ids_and_groups_of_its_process(void **state)
{
    (void)state;
    need_root();
    pid_t pid = child_start(child_become_user, NULL);
    struct target *target = NULL;
    assert_int_equal(target_open(pid, &target), 0);
    assert_int_equal(target->pid, pid);
    assert_int_equal(target->uid, TEST_UID);
    assert_int_equal(target->gid, TEST_UID);
    assert_int_equal(target->group_count, 1);
    assert_int_equal(target->groups[0], TEST_GROUP);
    assert_true(target->root_fd >= 0);
    assert_true(target->own_root);
    target_free(target);
    child_end(pid);
}

static void become_set_id(void *user)
{
    (void)user;
    const gid_t group = TEST_GROUP;
    if (setgroups(1, &group) || setresgid(100, 101, 102) || setresuid(1000, 0, 0))
        _exit(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void a_set_id_program_is_nobody(void **state)
{
    (void)state;
    need_root();
    pid_t pid = child_start(become_set_id, NULL);
    struct target *target = NULL;
    assert_int_equal(target_open(pid, &target), 0);
    assert_int_equal(target->uid, 65534);
    assert_int_equal(target->gid, 65534);
    assert_int_equal(target->group_count, 0);
    target_free(target);
    child_end(pid);
}

static void a_process_that_is_not_there_is_no_target(void **state)
{
    (void)state;
    struct target *target = NULL;
    assert_int_equal(target_open(0, &target), -ESRCH);
    assert_int_equal(target_open(-1, &target), -ESRCH);
    assert_int_equal(target_open(0x7fffffff, &target), -ESRCH);

    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(target_open(pid, &target), -ESRCH); /* a zombie */
    assert_null(target);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    target_free(NULL);
}

static void files_of_proc_are_opened_by_process_and_thread(void **state)
{
    (void)state;
    char text[64] = "";
    int fd = -1;
    assert_int_equal(privilege_open_proc(getpid(), getpid(), PROC_STAT, &fd), 0);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    assert_int_equal(atoi(text), getpid());
    close(fd);
    for (enum proc_file file = 0; file < PROC_FILE_COUNT; file++) {
        fd = -1;
        assert_int_equal(privilege_open_proc(getpid(), 0, file, &fd), 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);
    }
    assert_int_equal(privilege_open_proc(getpid(), getpid(), PROC_TASK, &fd), -EINVAL);
    assert_int_equal(privilege_open_proc(0, 0, PROC_STAT, &fd), -ESRCH);
    assert_int_equal(privilege_open_proc(0x7fffffff, 0, PROC_STAT, &fd), -ENOENT);
}

static void the_link_to_the_executable_must_fit(void **state)
{
    (void)state;
    char expected[4096] = "";
    ssize_t length = readlink("/proc/self/exe", expected, sizeof expected - 1);
    assert_true(length > 0);
    char path[4096] = "unchanged";
    assert_int_equal(privilege_read_exe_link(getpid(), (size_t)length, path), -ENAMETOOLONG);
    assert_string_equal(path, "unchanged");
    assert_int_equal(privilege_read_exe_link(getpid(), (size_t)length + 1, path), 0);
    assert_string_equal(path, expected);
}

static void burn_cpu(void *user)
{
    (void)user;
    struct timespec used;
    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    while (used.tv_sec == 0 && used.tv_nsec < 100 * 1000 * 1000);
}

static void cpu_time_is_what_the_process_used(void **state)
{
    (void)state;
    pid_t pid = child_start(burn_cpu, NULL);
    uint64_t used_ns = 0;
    assert_int_equal(privilege_read_cpu_time(pid, &used_ns), 0);
    assert_in_range(used_ns, 100 * 1000 * 1000, 150 * 1000 * 1000);
    child_end(pid);
    assert_int_equal(privilege_read_cpu_time(pid, &used_ns), -ESRCH);
    assert_int_equal(privilege_read_cpu_time(0, &used_ns), -ESRCH);
}

static void memory_is_read_up_to_the_end_of_the_mapping(void **state)
{
    (void)state;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *pages =
        mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    memset(pages, 0x5a, 3 * page);
    assert_int_equal(munmap(pages + 2 * page, page), 0);
    pid_t pid = child_start(NULL, NULL);

    unsigned char *copy = calloc(3, page);
    size_t got = 0;
    uint64_t start = (uintptr_t)pages + page / 2;
    assert_int_equal(privilege_read_memory_part(pid, start, copy, 2 * page, &got), 0);
    assert_int_equal(got, page + page / 2);
    assert_int_equal(copy[0], 0x5a);
    assert_int_equal(copy[got - 1], 0x5a);
    assert_int_equal(copy[got], 0);
    assert_int_equal(privilege_read_memory(pid, start, copy, page), 0);
    assert_int_equal(privilege_read_memory(pid, start, copy, 2 * page), -EIO);
    assert_int_equal(privilege_read_memory(pid, (uintptr_t)pages + 2 * page, copy, 8), -EIO);
    assert_int_equal(privilege_read_memory_part(pid, UINT64_MAX - 4, copy, 16, &got), -EFAULT);
    free(copy);
    child_end(pid);
    munmap(pages, 2 * page);
}

static void more_pages_than_one_call_takes_are_read(void **state)
{
    (void)state;
    const size_t bytes = 100 * (size_t)sysconf(_SC_PAGESIZE);
    uint32_t *numbers = malloc(bytes);
    uint32_t *copy = malloc(bytes);
    assert_non_null(numbers);
    assert_non_null(copy);
    for (size_t i = 0; i < bytes / 4; i++)
        numbers[i] = (uint32_t)i * 2654435761u;
    pid_t pid = child_start(NULL, NULL);
    assert_int_equal(privilege_read_memory(pid, (uintptr_t)numbers, copy, bytes), 0);
    assert_memory_equal(numbers, copy, bytes);
    child_end(pid);
    free(numbers);
    free(copy);
}

static void a_seized_thread_shows_its_registers_and_runs_on(void **state)
{
    (void)state;
    pid_t pid = child_start(NULL, NULL);
    int error = privilege_ptrace_seize(pid);
    if (error == -EPERM) {
        print_message("skipped: ptrace is refused here\n");
        child_end(pid);
        skip();
    }
    assert_int_equal(error, 0);
    assert_int_equal(privilege_ptrace_interrupt(pid), 0);
    const struct register_order *order = &architecture_own.regset;
    uint64_t words[REGISTER_ORDER_MAX];
    int status;
    assert_int_equal(waitpid(pid, &status, __WALL), pid);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(status >> 16, PTRACE_EVENT_STOP);
    assert_int_equal(privilege_ptrace_registers(pid, words, order->count), 0);
    struct registers registers = {0};
    registers_take(&registers, order, words);
    uint64_t word, sp = registers.values[architecture_own.sp];
    assert_int_equal(privilege_read_memory(pid, sp, &word, sizeof word), 0);
    assert_int_equal(privilege_ptrace_continue(pid, 0), 0);
    assert_int_equal(privilege_ptrace_registers(pid, words, order->count), -ESRCH); /* it runs */
    child_end(pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_has_the_ids_and_groups_of_its_process),
        cmocka_unit_test(a_set_id_program_is_nobody),
        cmocka_unit_test(a_process_that_is_not_there_is_no_target),
        cmocka_unit_test(files_of_proc_are_opened_by_process_and_thread),
        cmocka_unit_test(the_link_to_the_executable_must_fit),
        cmocka_unit_test(cpu_time_is_what_the_process_used),
        cmocka_unit_test(memory_is_read_up_to_the_end_of_the_mapping),
        cmocka_unit_test(more_pages_than_one_call_takes_are_read),
        cmocka_unit_test(a_seized_thread_shows_its_registers_and_runs_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
