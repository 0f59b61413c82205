/* The processes of a session: found by their pids, and cheap once they have ended. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "lprofd/privilege.h"
#include "process/process_tree.h"

#define NOBODYS_PID 0x3fffff00 /* beyond the kernel's greatest: PID_MAX_LIMIT is 2^22 */
#define CODE UINT64_C(0x10000)
#define CODE_BYTES UINT64_C(0x1000)

struct fixture {
    struct target *target;
    struct module_table *modules;
    struct process_tree *tree;
    struct process *self;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    const struct record_mapping code = {.start = CODE, .length = CODE_BYTES, .path = "//anon"};
    assert_int_equal(target_open(getpid(), &fixture.target), 0);
    assert_int_equal(module_table_new(fixture.target, &fixture.modules), 0);
    assert_int_equal(process_tree_new(fixture.modules, getpid(), &fixture.tree), 0);
    fixture.self = process_tree_find(fixture.tree, getpid());
    assert_int_equal(address_space_map(fixture.self->space, &code), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    process_tree_free(fixture->tree);
    module_table_free(fixture->modules);
    target_free(fixture->target);
    return 0;
}

static struct process *follow(struct fixture *fixture, pid_t pid)
{
    assert_int_equal(process_tree_fork(fixture->tree, fixture->self, pid), 0);
    return process_tree_find(fixture->tree, pid);
}

static pid_t start_child(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return pid;
}

static void end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static const struct module *find_code(struct process *process)
{
    uint64_t vaddr;
    return address_space_find(process->space, CODE + 8, &vaddr);
}

static void the_newest_process_of_a_pid_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct process *first = follow(fixture, NOBODYS_PID);
    struct process *other = follow(fixture, NOBODYS_PID + 1);
    process_tree_give_up_pid(fixture->tree, first, 1);
    assert_ptr_equal(process_tree_find(fixture->tree, NOBODYS_PID), first);
    struct process *second = follow(fixture, NOBODYS_PID);
    assert_ptr_not_equal(second, first);
    process_tree_forget(fixture->tree, 10 * NS_PER_SECOND);
    assert_ptr_equal(process_tree_find(fixture->tree, NOBODYS_PID), second);
    assert_ptr_equal(process_tree_find(fixture->tree, NOBODYS_PID + 1), other);
    assert_int_equal(process_tree_living(fixture->tree), 3);
}

static void one_that_ended_has_its_mappings_for_late_records_and_no_descriptors(void **state)
{
    struct fixture *fixture = *state;
    int before = open_descriptors();
    pid_t pid = start_child();
    struct process *child = follow(fixture, pid);
    assert_true(open_descriptors() > before);
    process_tree_end_told(fixture->tree, child, 1);
    end_child(pid);
    assert_int_equal(open_descriptors(), before);
    assert_ptr_equal(process_tree_find(fixture->tree, pid), child);
    assert_ptr_equal(find_code(child), find_code(fixture->self));
}

static void nothing_is_opened_for_one_that_is_over(void **state)
{
    struct fixture *fixture = *state;
    pid_t pid = start_child();
    struct process *child = follow(fixture, pid);
    process_tree_end_told(fixture->tree, child, 1);
    struct target *stand_in = NULL;
    int fd = -1;
    assert_int_equal(target_stand_in(child->target, pid, &stand_in), 0);
    assert_true(privilege_open_in_target(child->target, "/etc/passwd", &fd) < 0);
    assert_true(privilege_open_in_target(stand_in, "/etc/passwd", &fd) < 0);
    target_free(stand_in);
    end_child(pid);
}

static void a_target_that_somebody_else_holds_keeps_its_descriptors(void **state)
{
    struct fixture *fixture = *state;
    pid_t pid = start_child();
    struct process *child = follow(fixture, pid);
    struct target *held = target_ref(child->target);
    process_tree_end_told(fixture->tree, child, 1);
    assert_int_equal(target_life(held), TARGET_RUNS);
    end_child(pid);
    assert_int_equal(target_life(held), TARGET_ENDED);
    target_free(held);
}

/* Whose end no record tells, as one was lost. */
static void one_that_is_gone_has_its_descriptors_until_its_records_were_heard(void **state)
{
    struct fixture *fixture = *state;
    int before = open_descriptors();
    pid_t pid = start_child();
    struct process *child = follow(fixture, pid);
    end_child(pid);
    process_tree_account(fixture->tree, true, NS_PER_SECOND);
    assert_true(child->ended);
    assert_true(open_descriptors() > before);
    process_tree_forget(fixture->tree, NS_PER_SECOND);
    assert_false(child->is_over);
    process_tree_forget(fixture->tree, NS_PER_SECOND + 100 * NS_PER_MS);
    assert_true(child->is_over);
    assert_int_equal(open_descriptors(), before);
    assert_ptr_equal(process_tree_find(fixture->tree, pid), child);
}

/* As within one drain: nothing but records tells how much time has gone by. */
static void by_their_ends_alone_older_ones_are_forgotten(void **state)
{
    struct fixture *fixture = *state;
    uint64_t time_ns = 0;
    for (pid_t i = 0; i < 5000; i++) {
        struct process *child = follow(fixture, NOBODYS_PID + i);
        child->sampled_ns = 10;
        time_ns += NS_PER_MS;
        process_tree_end_told(fixture->tree, child, time_ns);
    }
    assert_null(process_tree_find(fixture->tree, NOBODYS_PID));
    assert_null(process_tree_find(fixture->tree, NOBODYS_PID + 2500));
    assert_non_null(process_tree_find(fixture->tree, NOBODYS_PID + 3500));
    assert_int_equal(process_tree_living(fixture->tree), 1);
    assert_int_equal(process_tree_accounted_ns(fixture->tree), 50000);
}

static void much_searching_finds_the_same_as_little(void **state)
{
    struct fixture *fixture = *state;
    const struct module *module = find_code(fixture->self);
    uint64_t vaddr;
    assert_non_null(module);
    for (int i = 0; i < 5000; i++) {
        assert_ptr_equal(find_code(fixture->self), module);
        assert_null(address_space_find(fixture->self->space, CODE + CODE_BYTES, &vaddr));
    }
    address_space_trim(fixture->self->space);
    assert_ptr_equal(find_code(fixture->self), module);
}

static void count_end(void *user, const struct process *process)
{
    unsigned *ends = user;
    ends[process->pid - NOBODYS_PID]++;
}

static void each_end_is_told_once_however_it_was_found(void **state)
{
    struct fixture *fixture = *state;
    unsigned ends[4] = {0};
    process_tree_tell_ends(fixture->tree, count_end, ends);
    for (pid_t i = 0; i < 4; i++)
        follow(fixture, NOBODYS_PID + i);
    process_tree_end_told(fixture->tree, process_tree_find(fixture->tree, NOBODYS_PID), 1);
    process_tree_give_up_pid(fixture->tree, process_tree_find(fixture->tree, NOBODYS_PID), 2);
    process_tree_give_up_pid(fixture->tree, process_tree_find(fixture->tree, NOBODYS_PID + 1), 3);
    process_tree_account(fixture->tree, true, 4); /* there is none of that pid */
    process_tree_end_told(fixture->tree, process_tree_find(fixture->tree, NOBODYS_PID + 2), 5);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(ends[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_process_of_a_pid_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            one_that_ended_has_its_mappings_for_late_records_and_no_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_opened_for_one_that_is_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_target_that_somebody_else_holds_keeps_its_descriptors,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            one_that_is_gone_has_its_descriptors_until_its_records_were_heard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_their_ends_alone_older_ones_are_forgotten, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(each_end_is_told_once_however_it_was_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(much_searching_finds_the_same_as_little, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
