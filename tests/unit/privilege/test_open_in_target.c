/* Files are opened with the target's rights, inside its root, and only real ones. */
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lprofd/privilege.h"

struct fixture {
    char directory[64];
    pid_t pid;
    struct target *target;
};

static char *in_directory(const struct fixture *fixture, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
    return path;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void open_fixture(struct fixture *fixture, void (*body)(void *))
{
    *fixture = (struct fixture){.directory = "/tmp/lprofd-privilege-XXXXXX"};
    assert_non_null(mkdtemp(fixture->directory));
    assert_int_equal(chmod(fixture->directory, 0755), 0);
    fixture->pid = child_start(body, fixture);
    assert_int_equal(target_open(fixture->pid, &fixture->target), 0);
}

static void close_fixture(struct fixture *fixture)
{
    target_free(fixture->target);
    child_end(fixture->pid);
    const char *const names[] = {"source.c", "secret", "grouped", "link",   "fifo",
                                 "program",  "device", "sub/up",  "sub/in", "owned"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_directory(fixture, names[i]));
    rmdir(in_directory(fixture, "sub"));
    rmdir(fixture->directory);
}

/* The error of opening, or 0; whatever was opened is closed again. */
static int try_open(const struct fixture *fixture, const char *path)
{
    int fd = -1;
    int error = privilege_open_in_target(fixture->target, path, &fd);
    if (error)
        assert_int_equal(fd, -1);
    else
        close(fd);
    return error;
}

/* Uid, Gid, Groups and capability lines of the calling thread. */
static void read_own_rights(char *ret_text, size_t bytes)
{
    FILE *status = fopen("/proc/thread-self/status", "r");
    assert_non_null(status);
    char line[512];
    ret_text[0] = '\0';
    while (fgets(line, sizeof line, status))
        if (!strncmp(line, "Uid", 3) || !strncmp(line, "Gid", 3) || !strncmp(line, "Groups", 6) ||
            !strncmp(line, "Cap", 3))
            strncat(ret_text, line, bytes - strlen(ret_text) - 1);
    fclose(status);
}

static void only_what_the_target_may_read_is_opened(void **state)
{
    (void)state;
    need_root();
    struct fixture fixture;
    open_fixture(&fixture, child_become_user);
    char before[2048], after[2048];
    read_own_rights(before, sizeof before);

    write_file(in_directory(&fixture, "source.c"), "int main;", 0644);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "source.c")), 0);
    write_file(in_directory(&fixture, "secret"), "secret", 0600);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "secret")), -EACCES);
    write_file(in_directory(&fixture, "owned"), "mine", 0400);
    assert_int_equal(chown(in_directory(&fixture, "owned"), TEST_UID, 0), 0);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "owned")), 0);
    assert_int_equal(try_open(&fixture, "/etc/shadow"), -EACCES);

    read_own_rights(after, sizeof after);
    assert_string_equal(before, after);
    close_fixture(&fixture);
}

static int ready_pipe[2], go_pipe[2];

/* Stays root, in a group, until it is told; what it does then is for good. */
static pid_t start_service(void (*change)(void *))
{
    const gid_t group = TEST_GROUP;
    assert_int_equal(pipe(ready_pipe) | pipe(go_pipe), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    char byte;
    if (pid > 0) {
        assert_int_equal(read(ready_pipe[0], &byte, 1), 1);
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (setgroups(1, &group) || write(ready_pipe[1], "", 1) != 1 || read(go_pipe[0], &byte, 1) != 1)
        _exit(1);
    change(NULL);
    if (write(ready_pipe[1], "", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void leave_groups(void *user)
{
    (void)user;
    if (setgroups(0, NULL))
        _exit(1);
}

static void assert_is_nobody_after(void (*change)(void *))
{
    need_root();
    char byte = 0;
    struct fixture fixture = {.directory = "/tmp/lprofd-privilege-XXXXXX"};
    assert_non_null(mkdtemp(fixture.directory));
    assert_int_equal(chmod(fixture.directory, 0755), 0);
    fixture.pid = start_service(change);
    assert_int_equal(target_open(fixture.pid, &fixture.target), 0);
    write_file(in_directory(&fixture, "secret"), "secret", 0600);
    write_file(in_directory(&fixture, "source.c"), "int main;", 0644);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "secret")), 0);

    assert_int_equal(write(go_pipe[1], &byte, 1), 1);
    assert_int_equal(read(ready_pipe[0], &byte, 1), 1);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "secret")), -EACCES);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "source.c")), 0);
    for (int i = 0; i < 2; i++) {
        close(ready_pipe[i]);
        close(go_pipe[i]);
    }
    close_fixture(&fixture);
}

static void a_target_that_gave_up_root_is_nobody(void **state)
{
    (void)state;
    assert_is_nobody_after(child_become_user);
}

static void a_target_that_left_its_groups_is_nobody(void **state)
{
    (void)state;
    assert_is_nobody_after(leave_groups);
}

static void a_stand_in_has_no_rights_that_may_have_been_lost(void **state)
{
    (void)state;
    need_root();
    struct fixture fixture;
    open_fixture(&fixture, NULL); /* root: it can become anybody */
    struct target *root = fixture.target, *user;
    write_file(in_directory(&fixture, "secret"), "secret", 0600);
    write_file(in_directory(&fixture, "owned"), "mine", 0400);
    assert_int_equal(chown(in_directory(&fixture, "owned"), TEST_UID, 0), 0);
    assert_int_equal(target_stand_in(root, fixture.pid, &fixture.target), 0);
    assert_false(target_same_rights(root, fixture.target));
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "secret")), -EACCES);
    target_free(fixture.target);

    pid_t pid = child_start(child_become_user, NULL);
    assert_int_equal(target_open(pid, &user), 0);
    assert_int_equal(target_stand_in(user, pid, &fixture.target), 0);
    assert_true(target_same_rights(user, fixture.target));
    child_end(pid);
    target_free(user);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "owned")), 0);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "secret")), -EACCES);
    target_free(fixture.target);
    fixture.target = root;
    close_fixture(&fixture);
}

static void supplementary_groups_count(void **state)
{
    (void)state;
    need_root();
    struct fixture fixture;
    open_fixture(&fixture, child_become_user);
    write_file(in_directory(&fixture, "grouped"), "group", 0640);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "grouped")), -EACCES);
    assert_int_equal(chown(in_directory(&fixture, "grouped"), 0, TEST_GROUP), 0);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "grouped")), 0);
    close_fixture(&fixture);
}

static void only_regular_files_are_opened(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, NULL);
    assert_int_equal(mkfifo(in_directory(&fixture, "fifo"), 0666), 0);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "fifo")), -EINVAL);
    assert_int_equal(try_open(&fixture, fixture.directory), -EINVAL);
    assert_int_equal(try_open(&fixture, "/dev/null"), -EINVAL);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "absent")), -ENOENT);
    assert_int_equal(try_open(&fixture, "relative.c"), -EINVAL);
    assert_int_equal(try_open(&fixture, ""), -EINVAL);

    int fd = -1;
    assert_int_equal(privilege_open_own(in_directory(&fixture, "fifo"), &fd), -EINVAL);
    assert_int_equal(privilege_open_own("/dev/null", &fd), -EINVAL);
    assert_int_equal(privilege_open_own("/proc/self/environ", &fd), -EACCES);
    assert_int_equal(fd, -1);
    close_fixture(&fixture);
}

static void pseudo_file_systems_are_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, NULL);
    const char *const paths[] = {"/proc/1/environ", "/proc/version", "/proc/self/maps",
                                 "/proc/self/exe", "/proc/kallsyms"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_int_equal(try_open(&fixture, paths[i]), -EACCES);
    if (access("/sys/kernel/notes", R_OK) == 0)
        assert_int_equal(try_open(&fixture, "/sys/kernel/notes"), -EACCES);
    close_fixture(&fixture);
}

static void the_environment_of_init_stays_secret(void **state)
{
    (void)state;
    need_root();
    struct fixture fixture;
    open_fixture(&fixture, child_become_user);
    char secret[64];
    snprintf(secret, sizeof secret, "/proc/%d/environ", getpid());
    assert_int_equal(try_open(&fixture, "/proc/1/environ"), -EACCES);
    assert_int_equal(try_open(&fixture, secret), -EACCES);
    assert_int_equal(symlink("/proc/self/root/etc/passwd", in_directory(&fixture, "link")), 0);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "link")), -EACCES);
    close_fixture(&fixture);
}

static void a_symbolic_link_gives_no_more_than_its_target(void **state)
{
    (void)state;
    need_root();
    struct fixture fixture;
    open_fixture(&fixture, child_become_user);
    assert_int_equal(symlink("/etc/shadow", in_directory(&fixture, "link")), 0);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "link")), -EACCES);
    unlink(in_directory(&fixture, "link"));
    assert_int_equal(symlink("/etc/passwd", in_directory(&fixture, "link")), 0);
    assert_int_equal(try_open(&fixture, in_directory(&fixture, "link")), 0);
    close_fixture(&fixture);
}

static void enter_root(void *user)
{
    const struct fixture *fixture = user;
    if (chroot(fixture->directory) || chdir("/"))
        _exit(1);
}

static void links_cannot_leave_the_root_of_the_target(void **state)
{
    (void)state;
    need_root();
    struct fixture fixture;
    open_fixture(&fixture, enter_root);
    assert_false(fixture.target->own_root);
    write_file(in_directory(&fixture, "source.c"), "inside", 0644);
    assert_int_equal(mkdir(in_directory(&fixture, "sub"), 0755), 0);
    assert_int_equal(symlink("../../../../etc/passwd", in_directory(&fixture, "sub/up")), 0);
    assert_int_equal(symlink("/source.c", in_directory(&fixture, "sub/in")), 0);

    assert_int_equal(try_open(&fixture, "/source.c"), 0);
    assert_int_equal(try_open(&fixture, "/sub/in"), 0);
    assert_int_equal(try_open(&fixture, "/../../source.c"), 0);
    assert_int_equal(try_open(&fixture, "/etc/passwd"), -ENOENT);
    assert_int_equal(try_open(&fixture, "/sub/up"), -ENOENT);
    assert_int_equal(try_open(&fixture, "/../etc/passwd"), -ENOENT);
    close_fixture(&fixture);
}

static void a_source_directory_is_never_left(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, NULL);
    write_file(in_directory(&fixture, "source.c"), "inside", 0644);
    assert_int_equal(mkdir(in_directory(&fixture, "sub"), 0755), 0);
    assert_int_equal(symlink("../../../../etc/passwd", in_directory(&fixture, "sub/up")), 0);
    assert_int_equal(symlink("../source.c", in_directory(&fixture, "sub/in")), 0);
    assert_int_equal(symlink("/etc/passwd", in_directory(&fixture, "link")), 0);
    int fd = -1;
    assert_int_equal(privilege_open_beneath(fixture.directory, "sub/up", &fd), -EXDEV);
    assert_int_equal(privilege_open_beneath(fixture.directory, "link", &fd), -EXDEV);
    assert_int_equal(privilege_open_beneath(fixture.directory, "../passwd", &fd), -EXDEV);
    assert_int_equal(privilege_open_beneath(fixture.directory, "/etc/passwd", &fd), -EXDEV);
    assert_int_equal(privilege_open_beneath(fixture.directory, "sub", &fd), -EINVAL);
    assert_int_equal(privilege_open_beneath(fixture.directory, "absent", &fd), -ENOENT);
    assert_int_equal(fd, -1);
    assert_int_equal(privilege_open_beneath(fixture.directory, "sub/in", &fd), 0);
    close(fd);
    close_fixture(&fixture);
}

/* As a sandbox without openat2(2) does: the calls of this process fail from now on. */
static void refuse_openat2(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        _exit(100);
}

static void without_openat2_the_rights_are_the_same(void **state)
{
    (void)state;
    need_root();
    struct fixture fixture;
    open_fixture(&fixture, child_become_user);
    write_file(in_directory(&fixture, "source.c"), "int main;", 0644);
    write_file(in_directory(&fixture, "secret"), "secret", 0600);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        refuse_openat2();
        int fd = -1;
        const struct target *target = fixture.target;
        int failed = 0;
        failed |= (privilege_open_in_target(target, in_directory(&fixture, "source.c"), &fd) != 0);
        failed |=
            (privilege_open_in_target(target, in_directory(&fixture, "secret"), &fd) != -EACCES)
            << 1;
        failed |= (privilege_open_in_target(target, "/proc/1/environ", &fd) != -EACCES) << 2;
        failed |= (privilege_open_in_target(target, "/etc/shadow", &fd) != -EACCES) << 3;
        failed |= (privilege_open_in_target(target, "/proc/1/root/etc/shadow", &fd) != -EACCES)
                  << 4;
        _exit(failed);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close_fixture(&fixture);
}

/* --- mapped files ------------------------------------------------------------------------------
 */

struct mapped {
    const char *path;
    uint64_t start, end;
};

static struct mapped *shared_mapped(void)
{
    return mmap(NULL, sizeof(struct mapped), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                0);
}

static void map_program(void *user)
{
    struct mapped *mapped = user;
    int fd = open(mapped->path, O_RDONLY);
    void *address = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd < 0 || address == MAP_FAILED)
        _exit(1);
    close(fd);
    mapped->start = (uintptr_t)address;
    mapped->end = mapped->start + 4096;
}

static void assert_reads(int fd, const char *text)
{
    char bytes[64] = "";
    assert_true(read(fd, bytes, sizeof bytes - 1) >= 0);
    assert_string_equal(bytes, text);
    close(fd);
}

struct mapped_case {
    char path[64];
    struct mapped *mapped;
    pid_t pid;
    struct target *target;
    struct stat status;
};

static void open_mapped_case(struct mapped_case *test)
{
    *test = (struct mapped_case){.path = "/tmp/lprofd-mapped-XXXXXX", .mapped = shared_mapped()};
    int fd = mkstemp(test->path);
    assert_true(fd >= 0);
    close(fd);
    write_file(test->path, "old bytes", 0644);
    assert_int_equal(stat(test->path, &test->status), 0);
    test->mapped->path = test->path;
    test->pid = child_start(map_program, test->mapped);
    assert_int_equal(target_open(test->pid, &test->target), 0);
}

static void close_mapped_case(struct mapped_case *test)
{
    target_free(test->target);
    child_end(test->pid);
    unlink(test->path);
    munmap(test->mapped, sizeof *test->mapped);
}

static int open_mapped(const struct mapped_case *test, uint64_t start, int *ret_fd)
{
    return privilege_open_mapped(test->target, start, start + 4096, test->path, test->status.st_dev,
                                 test->status.st_ino, ret_fd);
}

static void a_replaced_file_is_opened_as_it_was_mapped(void **state)
{
    (void)state;
    need_root();
    struct mapped_case test;
    open_mapped_case(&test);
    assert_int_equal(unlink(test.path), 0);
    int fd = -1;
    assert_int_equal(open_mapped(&test, test.mapped->start, &fd), 0);
    assert_reads(fd, "old bytes");
    int keep = open("/tmp", O_TMPFILE | O_RDWR, 0600); /* so that the inode is not used again */
    write_file(test.path, "new bytes", 0644);
    assert_int_equal(open_mapped(&test, test.mapped->start, &fd), 0);
    assert_reads(fd, "old bytes");
    close(keep);
    close_mapped_case(&test);
}

static void the_path_is_used_only_for_the_same_file(void **state)
{
    (void)state;
    struct mapped_case test;
    open_mapped_case(&test);
    const uint64_t not_mapped = 0x1000; /* so that map_files has no such entry */
    int fd = -1;
    assert_int_equal(open_mapped(&test, not_mapped, &fd), 0);
    assert_reads(fd, "old bytes");

    char other[80];
    snprintf(other, sizeof other, "%s.new", test.path);
    write_file(other, "new bytes", 0644);
    assert_int_equal(rename(other, test.path), 0);
    fd = -1;
    assert_int_equal(open_mapped(&test, not_mapped, &fd), -ESTALE);
    assert_int_equal(unlink(test.path), 0);
    assert_int_equal(open_mapped(&test, not_mapped, &fd), -ENOENT);
    assert_int_equal(fd, -1);
    close_mapped_case(&test);
}

static void a_mapping_that_is_another_file_by_now_is_stale(void **state)
{
    (void)state;
    struct mapped_case test;
    open_mapped_case(&test);
    int fd = -1;
    assert_int_equal(privilege_open_mapped(test.target, test.mapped->start, test.mapped->end,
                                           "/nowhere", test.status.st_dev, test.status.st_ino + 1,
                                           &fd),
                     -ENOENT);
    assert_int_equal(privilege_open_mapped(test.target, test.mapped->start, test.mapped->end,
                                           "/etc/passwd", test.status.st_dev,
                                           test.status.st_ino + 1, &fd),
                     -ESTALE);
    assert_int_equal(fd, -1);
    close_mapped_case(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_the_target_may_read_is_opened),
        cmocka_unit_test(a_target_that_gave_up_root_is_nobody),
        cmocka_unit_test(a_target_that_left_its_groups_is_nobody),
        cmocka_unit_test(a_stand_in_has_no_rights_that_may_have_been_lost),
        cmocka_unit_test(supplementary_groups_count),
        cmocka_unit_test(only_regular_files_are_opened),
        cmocka_unit_test(pseudo_file_systems_are_refused),
        cmocka_unit_test(the_environment_of_init_stays_secret),
        cmocka_unit_test(a_symbolic_link_gives_no_more_than_its_target),
        cmocka_unit_test(links_cannot_leave_the_root_of_the_target),
        cmocka_unit_test(a_source_directory_is_never_left),
        cmocka_unit_test(without_openat2_the_rights_are_the_same),
        cmocka_unit_test(a_replaced_file_is_opened_as_it_was_mapped),
        cmocka_unit_test(the_path_is_used_only_for_the_same_file),
        cmocka_unit_test(a_mapping_that_is_another_file_by_now_is_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
