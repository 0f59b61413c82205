/* A process whose main thread has ended is read by a thread that lives. */
#include "../mainless.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lprofd/privilege.h"

#define TEST_UID 65534

static void need_root(void)
{
    if (geteuid() != 0) {
        print_message("skipped: needs root\n");
        skip();
    }
}

static bool is_same_file(int left_fd, int right_fd)
{
    struct stat left, right;
    return fstat(left_fd, &left) == 0 && fstat(right_fd, &right) == 0 &&
           left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

/* The whole file of that process is there, and it is not empty. */
static void assert_has_text(pid_t pid, enum proc_file file, const char *part)
{
    static char text[1 << 16];
    int fd = -1;
    ssize_t got = 0;
    size_t length = 0;
    assert_int_equal(privilege_open_proc(pid, 0, file, &fd), 0);
    while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    text[length] = '\0';
    assert_true(length > 0);
    assert_non_null(strstr(text, part));
}

static void files_of_a_process_without_its_main_thread_are_there(void **state)
{
    (void)state;
    char own[4096], path[4096];
    int own_fd = -1, fd = -1;
    pid_t tid, pid = mainless_start(NULL, &tid);
    assert_int_equal(privilege_check_living(pid), 0);
    assert_has_text(pid, PROC_MAPS, "test_living");
    assert_has_text(pid, PROC_CMDLINE, "test_living");
    assert_has_text(pid, PROC_STATUS, "VmSize:");
    assert_int_equal(privilege_read_exe_link(getpid(), sizeof own, own), 0);
    assert_int_equal(privilege_read_exe_link(pid, sizeof path, path), 0);
    assert_string_equal(path, own);
    assert_int_equal(privilege_open_proc(getpid(), 0, PROC_EXE, &own_fd), 0);
    assert_int_equal(privilege_open_proc(pid, 0, PROC_EXE, &fd), 0);
    assert_true(is_same_file(own_fd, fd));
    close(own_fd);
    close(fd);
    mainless_end(pid);
}

/* The first one of this program's file, which a forked child has, too. */
static uint64_t find_own_mapping(uint64_t *ret_end, uint64_t *ret_inode, char path[static 4096])
{
    char line[8192];
    uint64_t start = 0;
    FILE *file = fopen("/proc/self/maps", "re");
    assert_non_null(file);
    do
        assert_non_null(fgets(line, sizeof line, file));
    while (!strstr(line, "test_living"));
    fclose(file);
    assert_int_equal(sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %" SCNu64 " %4095[^\n]",
                            &start, ret_end, ret_inode, path),
                     4);
    return start;
}

static void memory_and_mapped_files_are_reached(void **state)
{
    (void)state;
    static const char secret[] = "what the child has inherited";
    char copy[sizeof secret], path[4096];
    struct target *target = NULL;
    struct stat status;
    uint64_t end, inode, start = find_own_mapping(&end, &inode, path);
    int fd = -1;
    pid_t tid, pid = mainless_start(NULL, &tid);
    assert_int_equal(privilege_read_memory(pid, (uintptr_t)secret, copy, sizeof copy), 0);
    assert_string_equal(copy, secret);
    assert_int_equal(target_open(pid, &target), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(
        privilege_open_mapped(target, start, end, path, status.st_dev, status.st_ino, &fd), 0);
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_ino, inode);
    close(fd);
    if (geteuid() == 0) /* it takes CAP_CHECKPOINT_RESTORE */
        assert_true(privilege_is_mapped(pid, start, end, path, inode));
    target_free(target);
    mainless_end(pid);
}

static void such_a_process_is_a_target_with_its_own_pid_and_root(void **state)
{
    (void)state;
    struct target *target = NULL;
    pid_t tid, pid = mainless_start(NULL, &tid);
    assert_int_equal(target_open(pid, &target), 0);
    assert_int_equal(target->pid, pid);
    assert_int_not_equal(target->inner_pid, tid);
    assert_int_equal(target->uid, geteuid());
    assert_true(target->root_fd >= 0);
    assert_true(target->own_root);
    assert_true(target->mounts > 0);
    assert_int_equal(target_life(target), TARGET_RUNS);
    mainless_end(pid);
    assert_int_equal(target_life(target), TARGET_ENDED);
    target_free(target);
}

/* As the C library does it for each thread that there is: the main one has none of it any more. */
static void become_user(void)
{
    if (syscall(SYS_setresgid, TEST_UID, TEST_UID, TEST_UID) || syscall(SYS_setgroups, 0, NULL) ||
        syscall(SYS_setresuid, TEST_UID, TEST_UID, TEST_UID))
        _exit(1);
}

static void its_user_is_that_of_what_lives(void **state)
{
    (void)state;
    need_root();
    struct target *target = NULL;
    pid_t tid, pid = mainless_start(become_user, &tid);
    assert_int_equal(target_open(pid, &target), 0);
    assert_int_equal(target->uid, TEST_UID);
    assert_int_equal(target->gid, TEST_UID);
    target_free(target);
    mainless_end(pid);
}

static void a_zombie_has_no_files(void **state)
{
    (void)state;
    static const enum proc_file files[] = {PROC_STATUS, PROC_MAPS, PROC_CMDLINE, PROC_EXE};
    char path[64], byte;
    int fd = -1;
    pid_t pid = mainless_zombie();
    assert_int_equal(privilege_check_living(pid), -ESRCH);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_int_equal(privilege_open_proc(pid, 0, files[i], &fd), -ESRCH);
    assert_int_equal(privilege_read_exe_link(pid, sizeof path, path), -ESRCH);
    assert_int_equal(privilege_read_memory(pid, (uintptr_t)&byte, &byte, 1), -ESRCH);
    assert_int_equal(fd, -1);
    mainless_end(pid);
    assert_int_equal(privilege_check_living(pid), -ESRCH);
    assert_int_equal(privilege_check_living(0), -ESRCH);
    assert_int_equal(privilege_check_living(-1), -ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_a_process_without_its_main_thread_are_there),
        cmocka_unit_test(memory_and_mapped_files_are_reached),
        cmocka_unit_test(such_a_process_is_a_target_with_its_own_pid_and_root),
        cmocka_unit_test(its_user_is_that_of_what_lives),
        cmocka_unit_test(a_zombie_has_no_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
