/* Whose rights a module's files are opened with, and whose compiled code is whose. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/process_tree.h"

#define NOBODY 65534
#define ADDRESS UINT64_C(0x200000000)

struct fixture {
    struct target *target; /* this process */
    struct module_table *modules;
    struct process_tree *tree;
    struct process *self;
    char path[64]; /* a file that anybody can read */
    struct stat status;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.path = "/tmp/lprofd-rights-XXXXXX"};
    int fd = mkstemp(fixture.path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 4096), 0);
    assert_int_equal(fchmod(fd, 0644), 0);
    assert_int_equal(fstat(fd, &fixture.status), 0);
    close(fd);
    assert_int_equal(target_open(getpid(), &fixture.target), 0);
    assert_int_equal(module_table_new(fixture.target, &fixture.modules), 0);
    assert_int_equal(process_tree_new(fixture.modules, getpid(), &fixture.tree), 0);
    fixture.self = process_tree_find(fixture.tree, getpid());
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    process_tree_free(fixture->tree);
    module_table_free(fixture->modules);
    target_free(fixture->target);
    unlink(fixture->path);
    return 0;
}

static void become_nobody(void)
{
    if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
        setresuid(NOBODY, NOBODY, NOBODY))
        _exit(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* changing ids clears it */
}

static void map_file(const struct fixture *fixture)
{
    int fd = open(fixture->path, O_RDONLY);
    if (mmap((void *)ADDRESS, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
        MAP_FAILED)
        _exit(1);
    close(fd);
}

/* A child as it starts, which does one thing for each byte that it is told. */
struct child {
    pid_t pid;
    int order, done;
};

enum order { ORDER_NOBODY = 'n', ORDER_MAP = 'm' };

static void obey(const struct fixture *fixture, int order, int done)
{
    char byte;
    while (read(order, &byte, 1) == 1) {
        if (byte == ORDER_NOBODY)
            become_nobody();
        else
            map_file(fixture);
        if (write(done, "", 1) != 1)
            _exit(1);
    }
    _exit(0);
}

static struct child start_child(const struct fixture *fixture)
{
    int order[2], done[2];
    assert_int_equal(pipe2(order, O_CLOEXEC) | pipe2(done, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(order[1]);
        obey(fixture, order[0], done[1]);
    }
    close(order[0]);
    close(done[1]);
    return (struct child){pid, order[1], done[0]};
}

static void tell(const struct child *child, enum order order)
{
    char byte = (char)order;
    assert_int_equal(write(child->order, &byte, 1), 1);
    assert_int_equal(read(child->done, &byte, 1), 1);
}

static void end_child(const struct child *child)
{
    close(child->order);
    close(child->done);
    kill(child->pid, SIGKILL);
    assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
}

static struct process *follow(struct fixture *fixture, pid_t pid)
{
    assert_int_equal(process_tree_fork(fixture->tree, fixture->self, pid), 0);
    return process_tree_find(fixture->tree, pid);
}

static const struct module *module_at(struct process *process, uint64_t address)
{
    uint64_t vaddr;
    const struct module *module = address_space_find(process->space, address, &vaddr);
    assert_non_null(module);
    return module;
}

/* The module that a record of that file's mapping brings. */
static const struct module *hear_of_file(struct fixture *fixture, struct process *process)
{
    const struct record_mapping mapping = {.start = ADDRESS,
                                           .length = 4096,
                                           .device_major = major(fixture->status.st_dev),
                                           .device_minor = minor(fixture->status.st_dev),
                                           .inode = fixture->status.st_ino,
                                           .path = fixture->path};
    assert_int_equal(address_space_map(process->space, &mapping), 0);
    return module_at(process, ADDRESS);
}

static const struct module *hear_of_code(struct process *process)
{
    const struct record_mapping mapping = {.start = ADDRESS, .length = 4096, .path = "//anon"};
    assert_int_equal(address_space_map(process->space, &mapping), 0);
    return module_at(process, ADDRESS);
}

static void need_root(void)
{
    if (geteuid() != 0) {
        print_message("skipped: needs root\n");
        skip();
    }
}

/* Whether what only root may read is opened for the module. */
static bool opens_secrets(const struct module *module)
{
    int fd = -1;
    int error = module->target ? privilege_open_in_target(module->target, "/etc/shadow", &fd) : -1;
    if (!error)
        close(fd);
    return !error;
}

static void what_a_child_maps_after_it_gave_up_root_is_not_opened_as_root(void **state)
{
    struct fixture *fixture = *state;
    need_root();
    struct child child = start_child(fixture);
    struct process *process = follow(fixture, child.pid); /* while it is root */
    tell(&child, ORDER_NOBODY);
    tell(&child, ORDER_MAP);
    const struct module *module = hear_of_file(fixture, process);
    assert_true(module->fd >= 0);
    assert_false(module->rights_are_unknown);
    assert_int_equal(module->target->uid, NOBODY);
    assert_false(opens_secrets(module));
    end_child(&child);
    assert_false(opens_secrets(module));
}

static void what_a_child_mapped_as_root_stays_roots(void **state)
{
    struct fixture *fixture = *state;
    need_root();
    struct child child = start_child(fixture);
    struct process *process = follow(fixture, child.pid);
    tell(&child, ORDER_MAP);
    const struct module *module = hear_of_file(fixture, process);
    assert_true(opens_secrets(module));
    tell(&child, ORDER_NOBODY);
    assert_true(opens_secrets(module));
    end_child(&child);
    assert_true(opens_secrets(module));
}

static void what_ended_before_it_was_looked_at_is_nobodys_until_it_is_mapped_again(void **state)
{
    struct fixture *fixture = *state;
    need_root();
    struct child child = start_child(fixture);
    struct process *process = follow(fixture, child.pid); /* while it is root */
    end_child(&child);
    const struct module *module = hear_of_file(fixture, process);
    assert_true(module->fd >= 0); /* which nobody can read */
    assert_true(module->rights_are_unknown);
    assert_false(opens_secrets(module));
    assert_ptr_equal(hear_of_file(fixture, process), module);

    child = start_child(fixture);
    process = follow(fixture, child.pid);
    tell(&child, ORDER_MAP);
    const struct module *again = hear_of_file(fixture, process);
    assert_ptr_not_equal(again, module);
    assert_true(opens_secrets(again));
    end_child(&child);
    assert_ptr_equal(hear_of_file(fixture, process), again);
}

static void what_is_no_longer_mapped_may_be_of_another_program(void **state)
{
    struct fixture *fixture = *state;
    need_root();
    struct child child = start_child(fixture);
    const struct module *module = hear_of_file(fixture, follow(fixture, child.pid));
    assert_true(module->rights_are_unknown);
    assert_false(opens_secrets(module));
    end_child(&child);
}

static void who_cannot_become_another_user_keeps_its_rights_when_it_ended(void **state)
{
    struct fixture *fixture = *state;
    need_root();
    assert_int_equal(chmod(fixture->path, 0400), 0);
    assert_int_equal(chown(fixture->path, NOBODY, NOBODY), 0);
    struct child child = start_child(fixture);
    tell(&child, ORDER_NOBODY);
    struct process *process = follow(fixture, child.pid);
    end_child(&child);
    const struct module *module = hear_of_file(fixture, process);
    assert_true(module->fd >= 0);
    assert_false(module->rights_are_unknown);
}

static void a_child_that_cannot_be_looked_at_has_not_its_parents_rights(void **state)
{
    struct fixture *fixture = *state;
    need_root();
    struct child child = start_child(fixture);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct process *process = follow(fixture, child.pid);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    const struct target *target = address_space_target(process->space);
    int fd = -1;
    assert_ptr_not_equal(target, fixture->target);
    assert_int_equal(target->pid, child.pid);
    assert_int_equal(privilege_open_in_target(target, "/etc/shadow", &fd), -EACCES);
    end_child(&child);
}

static void a_process_that_has_the_pid_of_another_has_code_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    struct child child = start_child(fixture);
    const struct module *first = hear_of_code(follow(fixture, child.pid));
    process_tree_end(fixture->tree, process_tree_find(fixture->tree, child.pid), 1);
    const struct module *second = hear_of_code(follow(fixture, child.pid));
    assert_int_equal(second->kind, MODULE_ANONYMOUS);
    assert_ptr_not_equal(first, second);
    assert_ptr_not_equal(first->target, second->target);
    end_child(&child);
}

static void after_exec_code_is_of_another_program(void **state)
{
    struct fixture *fixture = *state;
    const struct module *old = hear_of_code(fixture->self);
    assert_ptr_equal(hear_of_code(fixture->self), old);
    assert_int_equal(target_life(old->target), TARGET_RUNS);
    assert_int_equal(process_exec(fixture->self, 1), 0);
    const struct module *new = hear_of_code(fixture->self);
    assert_int_equal(new->kind, MODULE_ANONYMOUS);
    assert_ptr_not_equal(new, old);
    assert_int_equal(target_life(old->target), TARGET_EXECUTED);
    assert_int_equal(target_life(new->target), TARGET_RUNS);
    assert_ptr_equal(hear_of_code(fixture->self), new);
}

#define with_tree(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_tree(what_a_child_maps_after_it_gave_up_root_is_not_opened_as_root),
        with_tree(what_a_child_mapped_as_root_stays_roots),
        with_tree(what_ended_before_it_was_looked_at_is_nobodys_until_it_is_mapped_again),
        with_tree(what_is_no_longer_mapped_may_be_of_another_program),
        with_tree(who_cannot_become_another_user_keeps_its_rights_when_it_ended),
        with_tree(a_child_that_cannot_be_looked_at_has_not_its_parents_rights),
        with_tree(a_process_that_has_the_pid_of_another_has_code_of_its_own),
        with_tree(after_exec_code_is_of_another_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
